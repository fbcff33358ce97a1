"""Answers questions after kvpress's FinchPress, for `npm run bench -- quality --kvpress VENV/bin/python`.

    python3 -m venv VENV
    VENV/bin/pip install torch==2.13.0
    VENV/bin/pip install transformers==5.2.0 kvpress==0.5.5 gguf==0.19.0 numpy==2.4.6

Reads one case a line as JSON and writes one result a line. All tokens are those of the engine's tokenizer.
  context   what is compressed: the prompt's beginning and the document
  question  what follows it, whose rows decide and stay in the cache, as FinchPress has it
  kept      rows of the context that stay, per layer and KV head
  lead      what the answer begins with; read behind the question, and not counted
  answers   lists of tokens
A result has, for each answer, the mean negative log likelihood of its tokens and whether each is the likeliest,
and for each row of the context how many of the lists hold it: one list for each layer and KV head.
"""

import argparse
import copy
import json
import sys
from pathlib import Path
from unittest import mock

import torch
from kvpress import FinchPress, KeyRerotationPress
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache
from transformers.utils.logging import disable_progress_bar


@torch.inference_mode()
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True, type=Path, help="GGUF file; its weights are made float32")
    path = parser.parse_args().model
    disable_progress_bar()
    folder, file = str(path.resolve().parent), path.name
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32).eval()
    # Read before FinchPress adds its delimiter as one more row to the embeddings.
    vocabulary = model.config.vocab_size
    for line in sys.stdin:
        print(json.dumps(answer(model, tokenizer, vocabulary, **json.loads(line))), flush=True)


def answer(model, tokenizer, vocabulary, context, question, kept, lead, answers):
    length = len(context) + len(question)
    # kvpress keeps int(length * (1 - ratio)) rows, the question's among them; the half keeps clear of rounding.
    ratio = 1 - (min(kept, len(context)) + len(question) + 0.5) / length
    press = FinchPress(compression_ratio=max(0.0, ratio), rerotate_keys=True)
    press.update_model_and_tokenizer(model, tokenizer)
    held = torch.zeros(len(context), dtype=torch.int32)
    lists = model.config.num_hidden_layers * model.config.num_key_value_heads
    rerotate = KeyRerotationPress.rerotate_keys

    def count(module, indices, keys):
        for head in indices[0]:
            held[head[head < len(context)]] += 1
        return rerotate(module, indices, keys)

    cache = DynamicCache()
    with press(model), mock.patch.object(KeyRerotationPress, "rerotate_keys", count):
        tokens = torch.tensor([context + [press.delimiter_token_id] + question])
        model(tokens, past_key_values=cache, logits_to_keep=1)

    results = []
    for tokens in answers:
        fed = lead + tokens[:-1]
        output = model(torch.tensor([fed]), past_key_values=copy.deepcopy(cache))
        logits = output.logits[0, len(lead) - 1 :, :vocabulary].double()
        wanted = torch.tensor(tokens)
        nll = -logits.log_softmax(-1).gather(1, wanted[:, None]).mean().item()
        results.append({"nll": nll, "greedy": bool((logits.argmax(-1) == wanted).all())})
    return {"answers": results, "held": held.tolist(), "lists": lists}


if __name__ == "__main__":
    main()
