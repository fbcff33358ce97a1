/**
 * The definition that the engine is tested against: the forward pass of the served architectures and Finch's operations
 * on the KV cache, in float64 and in plain loops. Slow on purpose.
 */
import { rotate } from './rotation.ts';
import type { Matrix, Twin, TwinLayer } from './twinModel.ts';

/** Plain data: `structuredClone` copies it. */
export interface TwinKvCache {
  /** Position of each cell, rising; the same for all layers and heads. */
  positions: number[];
  /** [layer][kvHead][cell] */
  readonly cells: TwinCell[][][];
}

export interface TwinCell {
  /** The key as the model made it, before rotation, [headDim]. */
  readonly unrotatedKey: Float64Array;
  /** The key that queries meet: rotated to the cell's position. */
  readonly key: Float64Array;
  readonly value: Float64Array;
}

export interface TwinDecoded {
  /** Of the last token, [vocabulary]. */
  readonly logits: Float64Array;
  /** Softmaxed, [layer][head][token][cell]; cells are those of the cache after this batch, later ones are 0. */
  readonly attention: Float64Array[][][];
  /** Rotated to each token's position, [layer][head][token][headDim]. */
  readonly queries: Float64Array[][][];
}

export function newKvCache(twin: Twin): TwinKvCache {
  return {
    positions: [],
    cells: twin.layers.map(() => Array.from({ length: twin.kvHeads }, () => [])),
  };
}

/**
 * Runs the model over `tokens` at `firstPosition`, `firstPosition` + 1, ..., and appends their cells to `kvCache`.
 * Each token sees the cells whose position is not beyond its own. Throws where a position is taken already.
 */
export function decode(
  twin: Twin,
  kvCache: TwinKvCache,
  tokens: readonly number[],
  firstPosition: number,
): TwinDecoded {
  const lastPosition = kvCache.positions.at(-1) ?? -1;
  if (firstPosition <= lastPosition)
    throw new Error(`position ${firstPosition} is taken: start after ${lastPosition}`);
  const tokenPositions = tokens.map((_, i) => firstPosition + i);
  kvCache.positions.push(...tokenPositions);
  let hidden = tokens.map((token) => scaled(row(twin.tokenEmbedding, token), twin.scales.embedding));
  const attention: Float64Array[][][] = [];
  const queries: Float64Array[][][] = [];

  twin.layers.forEach((layer, layerIndex) => {
    const cells = kvCache.cells[layerIndex]!;
    const layerQueries: Float64Array[][] = Array.from({ length: twin.heads }, () => []);
    hidden.forEach((state, i) => {
      const position = tokenPositions[i]!;
      const normed = rmsNorm(state, layer.attentionNorm, twin.normEpsilon);
      const query = plus(times(layer.query, normed), layer.queryBias);
      const key = plus(times(layer.key, normed), layer.keyBias);
      const value = plus(times(layer.value, normed), layer.valueBias);
      layerQueries.forEach((rows, head) => {
        const unrotated = headNorm(headOf(query, head, twin.headDim), layer.queryNorm, twin.normEpsilon);
        rows.push(rotate(layer.rotation, unrotated, position));
      });
      cells.forEach((headCells, kvHead) => {
        const unrotatedKey = headNorm(headOf(key, kvHead, twin.headDim), layer.keyNorm, twin.normEpsilon);
        headCells.push({
          unrotatedKey,
          key: rotate(layer.rotation, unrotatedKey, position),
          value: headOf(value, kvHead, twin.headDim),
        });
      });
    });

    const layerAttention = layerQueries.map((rows, head) =>
      rows.map((query, i) => {
        const headCells = cells[kvHeadOf(twin, head)]!;
        const own = tokenPositions[i]!;
        const first = kvCache.positions.findIndex((position) => position > own - (layer.window ?? Infinity));
        const visible = kvCache.positions.filter((position) => position <= own).length;
        return attentionRow(query, headCells, first, visible, twin.scales.attention);
      }),
    );
    hidden = hidden.map((state, i) => {
      const mixed = new Float64Array(twin.heads * twin.headDim);
      layerAttention.forEach((rows, head) => {
        cells[kvHeadOf(twin, head)]!.forEach(({ value }, cell) => {
          const weight = rows[i]![cell]!;
          for (let d = 0; d < twin.headDim; d++) mixed[head * twin.headDim + d]! += weight * value[d]!;
        });
      });
      const added = (x: Float64Array, norm: Float64Array | undefined) =>
        scaled(headNorm(x, norm, twin.normEpsilon), twin.scales.residual);
      const attended = plus(state, added(times(layer.attentionOutput, mixed), layer.attentionPostNorm));
      const normed = rmsNorm(attended, layer.feedForwardNorm, twin.normEpsilon);
      return plus(attended, added(feedForward(twin, layer, normed), layer.feedForwardPostNorm));
    });
    attention.push(layerAttention);
    queries.push(layerQueries);
  });

  const last = hidden.at(-1);
  if (last === undefined) throw new Error('no tokens to decode: pass at least one');
  const logits = scaled(
    times(twin.output, rmsNorm(last, twin.outputNorm, twin.normEpsilon)),
    twin.scales.logits,
  );
  return { logits, attention, queries };
}

/**
 * What the last `questionLength` tokens of a decoded batch attend to, [layer][head][cell]: for each earlier cell the sum
 * of the question rows' attention. The softmax ran over all visible cells, those of the question among them.
 */
export function questionScores(decoded: TwinDecoded, questionLength: number): Float64Array[][] {
  return decoded.attention.map((heads) =>
    heads.map((rows) => {
      const questionRows = rows.slice(rows.length - questionLength);
      const scores = new Float64Array(rows[0]!.length - questionLength);
      for (const weights of questionRows) for (let j = 0; j < scores.length; j++) scores[j]! += weights[j]!;
      return scores;
    }),
  );
}

/**
 * Keeps the cells `keep[layer][kvHead]` (ascending, equally many everywhere) as cells 0, 1, ...: each key is rotated
 * anew from its unrotated form to its new position, values are untouched.
 */
export function keepCells(
  twin: Twin,
  kvCache: TwinKvCache,
  keep: readonly (readonly ArrayLike<number>[])[],
): void {
  const kept = keep[0]?.[0]?.length ?? 0;
  twin.layers.forEach(({ rotation }, layer) => {
    for (let kvHead = 0; kvHead < twin.kvHeads; kvHead++) {
      const indices = Array.from(keep[layer]?.[kvHead] ?? []);
      const old = kvCache.cells[layer]![kvHead]!;
      if (
        indices.length !== kept ||
        indices.some((cell, t) => !(cell > (indices[t - 1] ?? -1) && cell < old.length))
      )
        throw new Error(
          `layer ${layer}, KV head ${kvHead}: pass ${kept} ascending cells below ${old.length}, not ${indices.join(' ')}`,
        );
      kvCache.cells[layer]![kvHead] = indices.map((cell, t) => {
        const { unrotatedKey, value } = old[cell]!;
        return { unrotatedKey, key: rotate(rotation, unrotatedKey, t), value };
      });
    }
  });
  kvCache.positions = Array.from({ length: kept }, (_, t) => t);
}

/** Forgets all cells but the first `length`. */
export function truncate(kvCache: TwinKvCache, length: number): void {
  kvCache.positions.length = Math.min(kvCache.positions.length, length);
  for (const heads of kvCache.cells) for (const cells of heads) cells.length = kvCache.positions.length;
}

/** Softmax over the cells `first` to `visible` - 1 of scale * query · key; 0 elsewhere. */
function attentionRow(
  query: Float64Array,
  cells: readonly TwinCell[],
  first: number,
  visible: number,
  scale: number,
): Float64Array {
  const weights = new Float64Array(cells.length);
  let largest = -Infinity;
  for (let j = first; j < visible; j++) {
    weights[j] = dot(query, cells[j]!.key) * scale;
    largest = Math.max(largest, weights[j]!);
  }
  let sum = 0;
  for (let j = first; j < visible; j++) {
    weights[j] = Math.exp(weights[j]! - largest);
    sum += weights[j]!;
  }
  for (let j = first; j < visible; j++) weights[j]! /= sum;
  return weights;
}

/** down(activation(gate(x)) * up(x)). */
function feedForward(twin: Twin, layer: TwinLayer, x: Float64Array): Float64Array {
  const up = times(layer.up, x);
  const activate = twin.activation === 'silu' ? silu : gelu;
  const gated = times(layer.gate, x).map((value, i) => activate(value) * up[i]!);
  return times(layer.down, gated);
}

function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}

/** By the hyperbolic tangent, as llama.cpp has it. */
function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * x * (1 + 0.044715 * x * x)));
}

/** The KV head that a query head reads: neighbouring query heads share one. */
function kvHeadOf(twin: Twin, head: number): number {
  return Math.floor(head / (twin.heads / twin.kvHeads));
}

function headOf(all: Float64Array, head: number, headDim: number): Float64Array {
  return all.slice(head * headDim, (head + 1) * headDim);
}

function headNorm(x: Float64Array, weight: Float64Array | undefined, epsilon: number): Float64Array {
  return weight === undefined ? x : rmsNorm(x, weight, epsilon);
}

function rmsNorm(x: Float64Array, weight: Float64Array, epsilon: number): Float64Array {
  const scale = 1 / Math.sqrt(dot(x, x) / x.length + epsilon);
  return x.map((value, i) => value * scale * weight[i]!);
}

function times(matrix: Matrix, x: Float64Array): Float64Array {
  const result = new Float64Array(matrix.rows);
  for (let r = 0; r < matrix.rows; r++) {
    let sum = 0;
    for (let c = 0; c < matrix.columns; c++) sum += matrix.values[r * matrix.columns + c]! * x[c]!;
    result[r] = sum;
  }
  return result;
}

function scaled(x: Float64Array, factor: number): Float64Array {
  return x.map((value) => value * factor);
}

function plus(x: Float64Array, y: Float64Array | undefined): Float64Array {
  return y === undefined ? x : x.map((value, i) => value + y[i]!);
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

function row(matrix: Matrix, index: number): Float64Array {
  if (!(index >= 0 && index < matrix.rows))
    throw new Error(`token ${index} is not one of the vocabulary's ${matrix.rows}`);
  return matrix.values.slice(index * matrix.columns, (index + 1) * matrix.columns);
}
