import type { AttentionWeights, Projection } from '../attention/weights.js';
import { contractionOf } from './contraction.js';
import type { HeadColumns, Heads } from './heads.js';
import { headColumns, headsOf } from './heads.js';
import type { Inquiry } from './inquiry.js';
import { sources } from './inquiry.js';
import { stridesOf } from './layout.js';
import { takeApart } from './operand.js';
import type { OutputProjection } from './output.js';
import { outputProjection } from './output.js';
import { indexed, weightMatrix } from './projection.js';
import { Refusal } from './refusal.js';
import type { PlacedStep, ScoreChain } from './scores.js';
import { carry, isObserved, scoreChain } from './scores.js';
import type { MaskKind } from './site.js';
import type { Stream } from './stream.js';
import { streamOf } from './stream.js';
import type { ProjectedValue } from './trace.js';
import { traceProjection } from './trace.js';
import type { ViewNode } from './view.js';

/** Queries, keys or values of a block: the traced operand and each head's columns. */
export interface BlockProjection {
  readonly traced: ProjectedValue;
  readonly heads: HeadColumns;
  /** The operand of the product. */
  readonly operand: string;
  /** The stream with its axes told apart, where they can be. */
  readonly stream: Stream | undefined;
}

/**
 * How the block's own tensors are laid out where heads are an axis of their own: positions of (batch, head, query
 * or token, key or feature) among the axes.
 */
export interface BlockAxes {
  /** Of the scores: `scores.transpose(scores)` brings `[batch, head, query, key]` to the graph's order. */
  readonly scores: readonly number[];
  /** Of the probabilities as the context product reads them, to `[batch, head, query, key]`. */
  readonly probabilities: readonly number[];
  /** Of the heads' outputs: from `[batch, head, query, feature]` to the graph's order. */
  readonly context: readonly number[];
}

/** One attention block as the finder proved it, with all that a swap needs. */
export interface AttentionBlock {
  readonly chain: ScoreChain;
  readonly numHeads: number;
  readonly headDim: number;
  readonly valueHeadDim: number;
  readonly query: BlockProjection;
  readonly key: BlockProjection;
  readonly value: BlockProjection;
  readonly output: OutputProjection;
  /** Product of the scale steps between the product and the softmax. */
  readonly chainScale: number;
  /** Kinds of the steps before the softmax, and whether one differs between heads. */
  readonly mask: readonly MaskKind[];
  readonly sameForAllHeads: boolean;
  /** Whether anything outside the block reads its scores or probabilities. */
  readonly observed: boolean;
  /** Head of each batch position of the scores, row by row over the product's batch axes. */
  readonly headOfBatch: Int32Array;
  /** Whether a weight is cut out of a constant by sizes of the inputs. */
  readonly sized: boolean;
  /** `undefined` where heads are not an axis of their own (merged with the batch). */
  readonly axes: BlockAxes | undefined;
  /** The weights, in the one layout; scales on the way to the product are folded in, `scale` is `chainScale`. */
  readonly weights: () => AttentionWeights;
}

/** Proves that a softmax is attention over projections, or refuses. */
export function attentionBlock(inquiry: Inquiry, softmax: ViewNode): AttentionBlock {
  const chain = scoreChain(inquiry, softmax);
  const product = chain.product;
  const [a = '', b = ''] = product.inputs;
  const [dimsA, dimsB] = [inquiry.dims(a), inquiry.dims(b)];
  const labels = contractionOf(product.operator, dimsA.length, dimsB.length);
  if (!labels) throw new Refusal(`the product ${product.source} cannot be read`, sources(product));
  const outDims = inquiry.dims(product.outputs[0] as string);
  const shared = labels.a.filter((label) => labels.b.includes(label));
  const summed = shared.filter((label) => !labels.out.includes(label));
  const batchLabels = labels.out.filter((label) => labels.a.includes(label) === labels.b.includes(label));
  const freeA = labels.out.filter((label) => labels.a.includes(label) && !batchLabels.includes(label));
  const freeB = labels.out.filter((label) => labels.b.includes(label) && !batchLabels.includes(label));
  if (summed.length !== 1 || freeA.length !== 1 || freeB.length !== 1) {
    throw new Refusal(`the product ${product.source} is no product of queries and keys`, sources(product));
  }

  // Which operand are the keys: the softmax runs over their tokens.
  const axisOf = (label: string) => labels.out.indexOf(label);
  const along = (label: string) =>
    indexed(
      outDims,
      outDims.map((_, axis) => (axis === axisOf(label) ? 1 : 0)),
    );
  const runsOver = (label: string) => {
    const { dims, codes } = carry(inquiry, chain.before, { dims: outDims, codes: along(label) });
    const stride = stridesOf(dims)[chain.softmaxAxis] as number;
    return codes.length > stride && codes[stride] !== codes[0];
  };
  const keysSecond = runsOver(freeB[0] as string);
  if (keysSecond === runsOver(freeA[0] as string)) {
    throw new Refusal('the softmax does not run over the tokens of one operand', sources(softmax));
  }
  const [queryLabel, keyLabel] = (keysSecond ? [freeA[0], freeB[0]] : [freeB[0], freeA[0]]) as [string, string];
  const [queryId, keyId] = keysSecond ? [a, b] : [b, a];
  const [queryLabels, keyLabels] = keysSecond ? [labels.a, labels.b] : [labels.b, labels.a];

  const batch = batchLabels.map((label) => ({ label, size: outDims[axisOf(label)] as number }));
  const queryTraced = traceProjection(inquiry, queryId, 'query');
  const keyTraced = traceProjection(inquiry, keyId, 'key');
  const query = takeApart(queryTraced, queryLabels, batch, [queryLabel], summed, 'query');
  const key = takeApart(keyTraced, keyLabels, batch, [keyLabel], summed, 'key');
  const heads = headsOf(query);
  const queryHeads = headColumns(query, heads, 'query', sources(queryTraced.projection.node));
  const keyHeads = headColumns(key, heads, 'key', sources(keyTraced.projection.node));

  // Carry head, query and key of every score to where the probabilities meet the values.
  const batchStrides = stridesOf(batch.map(({ size }) => size));
  const batchNumber = indexed(
    outDims,
    labels.out.map((label) => batchStrides[batchLabels.indexOf(label)] ?? 0),
  );
  const codes = {
    head: batchNumber.map((position) => heads.ofBatch[position] as number),
    batch: batchNumber.map((position) => position),
    query: along(queryLabel),
    key: along(keyLabel),
  };
  const steps = [...chain.before, ...chain.after];
  const carried = (start: Int32Array) => carry(inquiry, steps, { dims: outDims, codes: start });
  const head = carried(codes.head);
  const probabilityDims = head.dims;
  const atContext = { head: head.codes, key: carried(codes.key).codes, query: carried(codes.query).codes };

  const context = chain.context;
  const [ca = '', cb = ''] = context.inputs;
  const probabilitiesFirst = ca === chain.probabilities;
  const valueId = probabilitiesFirst ? cb : ca;
  const contextLabels = contractionOf(context.operator, inquiry.dims(ca).length, inquiry.dims(cb).length);
  if (!contextLabels) throw new Refusal(`the product ${context.source} cannot be read`, sources(context));
  const own = probabilitiesFirst ? contextLabels.a : contextLabels.b;
  const theirs = probabilitiesFirst ? contextLabels.b : contextLabels.a;
  const keySummed = own.filter((label) => theirs.includes(label) && !contextLabels.out.includes(label));
  const feature = theirs.filter((label) => contextLabels.out.includes(label) && !own.includes(label));
  const queryOut = own.filter((label) => contextLabels.out.includes(label) && !theirs.includes(label));
  if (keySummed.length !== 1 || feature.length !== 1 || queryOut.length !== 1) {
    throw new Refusal(`the product ${context.source} does not weight values by the probabilities`, sources(context));
  }
  const varies = (values: Int32Array, axis: number) => {
    const stride = stridesOf(probabilityDims)[axis] as number;
    return values.some((value, i) => {
      const at = Math.floor(i / stride) % (probabilityDims[axis] as number);
      return value !== values[i - at * stride];
    });
  };
  const keyAxis = own.indexOf(keySummed[0] as string);
  const summedRight =
    varies(atContext.key, keyAxis) && !varies(atContext.head, keyAxis) && !varies(atContext.query, keyAxis);
  if ((inquiry.dims(valueId).length > 0 && !summedRight) || probabilityDims.length !== own.length) {
    throw new Refusal('the values are not summed over the keys', sources(context));
  }
  const contextOut = context.outputs[0] as string;
  const contextDims = inquiry.dims(contextOut);
  const contextBatchLabels = contextLabels.out.filter((label) => label !== queryOut[0] && label !== feature[0]);
  const contextBatch = contextBatchLabels.map((label) => ({
    label,
    size: contextDims[contextLabels.out.indexOf(label)] as number,
  }));
  const contextHeads = headsAtContext(contextBatch, own, probabilityDims, atContext.head, heads.numHeads);
  const valueTraced = traceProjection(inquiry, valueId, 'value');
  const value = takeApart(valueTraced, theirs, contextBatch, keySummed, feature, 'value');
  const valueHeads = headColumns(value, contextHeads, 'value', sources(valueTraced.projection.node));

  const valueHeadDim = value.featureCount;
  const contextStrides = stridesOf(contextBatch.map(({ size }) => size));
  const contextBatchNumber = indexed(
    contextDims,
    contextLabels.out.map((label) => contextStrides[contextBatchLabels.indexOf(label)] ?? 0),
  );
  const featureNumber = indexed(
    contextDims,
    contextLabels.out.map((label) => (label === feature[0] ? 1 : 0)),
  );
  const headFeature = featureNumber.map(
    (at, i) => (contextHeads.ofBatch[contextBatchNumber[i] as number] as number) * valueHeadDim + at,
  );
  const output = outputProjection(inquiry, contextOut, contextDims, headFeature, heads.numHeads * valueHeadDim);

  const headDim = query.featureCount;
  const sides = sidesOf(inquiry, chain.before, outDims, codes.head);
  const queryProjection: BlockProjection = {
    traced: queryTraced,
    heads: queryHeads,
    operand: queryId,
    stream: streamOf(inquiry, queryTraced.projection, query, heads),
  };
  const keyProjection: BlockProjection = {
    traced: keyTraced,
    heads: keyHeads,
    operand: keyId,
    stream: streamOf(inquiry, keyTraced.projection, key, heads),
  };
  const valueProjection: BlockProjection = {
    traced: valueTraced,
    heads: valueHeads,
    operand: valueId,
    stream: streamOf(inquiry, valueTraced.projection, value, contextHeads),
  };
  const chainScale = chain.before.reduce((scale, { step }) => (step.kind === 'scale' ? scale * step.factor : scale), 1);
  return {
    chain,
    numHeads: heads.numHeads,
    headDim,
    valueHeadDim,
    query: queryProjection,
    key: keyProjection,
    value: valueProjection,
    output,
    chainScale,
    ...sides,
    observed: isObserved(inquiry, chain),
    headOfBatch: heads.ofBatch,
    sized: [queryTraced, keyTraced, valueTraced]
      .map(({ projection }) => projection.weight)
      .concat(output.weight)
      .some((weight) => inquiry.isSized(weight)),
    axes: blockAxes({
      batchLabels: batchLabels.map((label) => [label, axisOf(label)] as const),
      outDims,
      head: codes.head,
      queryAxis: axisOf(queryLabel),
      keyAxis: axisOf(keyLabel),
      probabilityLabels: own,
      probabilityDims,
      probabilityHead: atContext.head,
      contextLabels: contextLabels.out,
      keySummed: keySummed[0] as string,
      queryOut: queryOut[0] as string,
      feature: feature[0] as string,
    }),
    weights: () => ({
      numHeads: heads.numHeads,
      headDim,
      valueHeadDim,
      scale: chainScale,
      query: headProjection(inquiry, queryProjection),
      key: headProjection(inquiry, keyProjection),
      value: headProjection(inquiry, valueProjection),
      output: outputWeights(inquiry, output, heads.numHeads * valueHeadDim),
    }),
  };
}

/** Heads at the context's batch positions, read off the probabilities. */
function headsAtContext(
  batch: readonly { readonly label: string; readonly size: number }[],
  labels: readonly string[],
  dims: readonly number[],
  head: Int32Array,
  numHeads: number,
): Heads {
  const strides = stridesOf(dims);
  const ofBatch = indexed(
    batch.map(({ size }) => size),
    batch.map(({ label }) => {
      const axis = labels.indexOf(label);
      return axis < 0 || dims[axis] === 1 ? 0 : (strides[axis] as number);
    }),
  ).map((at) => head[at] as number);
  return { numHeads, ofBatch };
}

/** What the steps before the softmax add, and whether any of it depends on the head. */
function sidesOf(inquiry: Inquiry, before: readonly PlacedStep[], dims: readonly number[], head: Int32Array) {
  const mask = new Set<MaskKind>();
  let sameForAllHeads = true;
  for (const [at, { step, output }] of before.entries()) {
    const sides = step.kind === 'add' ? [step.side] : step.kind === 'mask' ? [step.condition, step.side] : [];
    if (sides.length === 0) continue;
    const reached = carry(inquiry, before.slice(0, at + 1), { dims, codes: head });
    const outDims = inquiry.dims(output);
    const strides = stridesOf(outDims);
    const perHead = sides.some((side) => {
      const sideDims = inquiry.dims(side);
      return outDims.some((_, axis) => {
        const size = sideDims[axis - outDims.length + sideDims.length] ?? 1;
        const stride = strides[axis] as number;
        return size > 1 && reached.codes[stride] !== undefined && changes(reached.codes, outDims, stride, axis);
      });
    });
    if (perHead) sameForAllHeads = false;
    mask.add(perHead ? 'per-head bias' : step.kind === 'mask' ? 'boolean' : 'additive');
  }
  return { mask: mask.size > 0 ? [...mask] : (['none'] as const), sameForAllHeads };
}

function changes(codes: Int32Array, dims: readonly number[], stride: number, axis: number): boolean {
  return codes.some((code, i) => code !== codes[i - (Math.floor(i / stride) % (dims[axis] as number)) * stride]);
}

function blockAxes(at: {
  readonly batchLabels: readonly (readonly [string, number])[];
  readonly outDims: readonly number[];
  readonly head: Int32Array;
  readonly queryAxis: number;
  readonly keyAxis: number;
  readonly probabilityLabels: readonly string[];
  readonly probabilityDims: readonly number[];
  readonly probabilityHead: Int32Array;
  readonly contextLabels: readonly string[];
  readonly keySummed: string;
  readonly queryOut: string;
  readonly feature: string;
}): BlockAxes | undefined {
  if (at.batchLabels.length !== 2 || at.probabilityLabels.length !== 4) return undefined;
  const isHead = (codes: Int32Array, dims: readonly number[], axis: number) =>
    changes(codes, dims, stridesOf(dims)[axis] as number, axis);
  const headAxes = at.batchLabels.filter(([, axis]) => isHead(at.head, at.outDims, axis));
  const [headAxis] = headAxes;
  const batchAxis = at.batchLabels.find((entry) => entry !== headAxis)?.[1];
  if (headAxes.length !== 1 || !headAxis || batchAxis === undefined) return undefined;
  const graphScores = [batchAxis, headAxis[1], at.queryAxis, at.keyAxis];

  const probabilityHead = at.probabilityLabels.findIndex((_, axis) =>
    isHead(at.probabilityHead, at.probabilityDims, axis),
  );
  const probabilityQuery = at.probabilityLabels.indexOf(at.queryOut);
  const probabilityKey = at.probabilityLabels.indexOf(at.keySummed);
  const probabilityBatch = [0, 1, 2, 3].find(
    (axis) => axis !== probabilityHead && axis !== probabilityQuery && axis !== probabilityKey,
  );
  if (probabilityHead < 0 || probabilityBatch === undefined) return undefined;
  const headLabel = at.probabilityLabels[probabilityHead] as string;
  const batchLabel = at.probabilityLabels[probabilityBatch] as string;
  const graphContext = [batchLabel, headLabel, at.queryOut, at.feature].map((label) => at.contextLabels.indexOf(label));
  if (graphContext.includes(-1)) return undefined;
  return {
    scores: inverse(graphScores),
    probabilities: [probabilityBatch, probabilityHead, probabilityQuery, probabilityKey],
    context: inverse(graphContext),
  };
}

function inverse(places: readonly number[]): number[] {
  const out = new Array<number>(places.length);
  places.forEach((place, at) => {
    out[place] = at;
  });
  return out;
}

function headProjection(inquiry: Inquiry, projection: BlockProjection): Projection {
  const { traced, heads } = projection;
  const full = weightMatrix(inquiry, traced.projection);
  const cols = heads.columns.length;
  const data = new Float64Array(full.rows * cols);
  for (let row = 0; row < full.rows; row++) {
    for (let col = 0; col < cols; col++) {
      const from = full.data[row * full.cols + (heads.columns[col] as number)] as number;
      data[row * cols + col] = from * (heads.gain[col] as number);
    }
  }
  return { weight: { rows: full.rows, cols, data }, bias: traced.hasBias ? heads.offset.slice() : null };
}

function outputWeights(inquiry: Inquiry, output: OutputProjection, width: number): Projection {
  const numbers = inquiry.constant(output.weight);
  if (!numbers) throw new Refusal(`the weight "${output.weight}" cannot be read`, sources(output.product));
  const data = new Float64Array(width * output.outputDim);
  for (const [i, number] of numbers.entries()) {
    data[(output.rows[i] as number) * output.outputDim + (output.columns[i] as number)] = number;
  }
  return { weight: { rows: width, cols: output.outputDim, data }, bias: output.readBias() };
}
