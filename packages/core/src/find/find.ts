import { groupCount } from '../attention/head-groups.js';
import type { AttentionWeights } from '../attention/weights.js';
import type { AttentionBlock, BlockProjection } from './block.js';
import { attentionBlock } from './block.js';
import type { Probe } from './evaluate.js';
import { evaluate } from './evaluate.js';
import { Inquiry, sources } from './inquiry.js';
import { elementCount } from './layout.js';
import { headCountInputs, probesOf } from './probe.js';
import { Refusal } from './refusal.js';
import type { AttentionSite, SiteCache, SkippedSite } from './site.js';
import type { GraphView, ViewNode } from './view.js';

/** A site with the block that a swap replaces. */
export interface FoundSite {
  readonly site: AttentionSite;
  readonly block: AttentionBlock;
}

/** Everything the finder can say of a graph. */
export interface Finding {
  readonly found: readonly FoundSite[];
  readonly skipped: readonly SkippedSite[];
  /** Options that had no effect. */
  readonly notices: readonly string[];
}

/** Settings of {@link findAttention}. */
export interface FindOptions {
  /**
   * Number of heads, a whole number from 1, where the graph takes it from an input; elsewhere it must agree with the
   * graph, or it is a RangeError. Default: told by the graph, and what it does not tell is skipped.
   */
  readonly numHeads?: number;
}

/**
 * Finds attention over projections: every softmax is followed back to the product of queries and keys and on to
 * the product with the values, and each operand back to a projection of a stream, with the place of every element
 * carried along. A softmax that does not prove to be one is skipped with the reason.
 *
 * @throws RangeError where `numHeads` is no whole number from 1, or disagrees with the graph.
 */
export function findAttention(view: GraphView, options: FindOptions = {}): Finding {
  const { numHeads = 1 } = options;
  if (!Number.isSafeInteger(numHeads) || numHeads < 1) {
    throw new RangeError(`numHeads: ${numHeads} is no number of heads; give a whole number from 1, or leave it out`);
  }
  const softmaxes = view.nodes.filter((node) => node.operator.kind === 'softmax');
  let best: Attempt | undefined;
  for (const [probe, again] of probesOf(view, options.numHeads)) {
    const inquiry = new Inquiry(view, evaluate(view, probe));
    const results = softmaxes.map((softmax) => blockOrRefusal(inquiry, softmax));
    const unsized = results.filter((result) => result instanceof Refusal && result.cause === 'size').length;
    if (!best || unsized < best.unsized) best = { inquiry, again, results, unsized };
    if (unsized === 0) break;
  }
  const { found, skipped } = best ? verified(view, softmaxes, best, options) : { found: [], skipped: [] };
  return { found, skipped, notices: headCountNotices(view, options, found.length) };
}

/** What one pair of sizes gave. */
interface Attempt {
  readonly inquiry: Inquiry;
  readonly again: Probe;
  readonly results: readonly (AttentionBlock | Refusal)[];
  /** Softmaxes that could not be followed at these sizes. */
  readonly unsized: number;
}

function blockOrRefusal(inquiry: Inquiry, softmax: ViewNode): AttentionBlock | Refusal {
  try {
    return attentionBlock(inquiry, softmax);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** Says where the head count that was given had no effect. */
function headCountNotices(view: GraphView, { numHeads }: FindOptions, found: number): string[] {
  if (numHeads === undefined) return [];
  const inputs = [...headCountInputs(view)];
  if (inputs.length > 0 && found > 0) return [];
  if (inputs.length > 0) return [`${numHeads} heads, taken for ${inputs.join(', ')}, showed no attention`];
  const why = found > 0 ? 'the graph tells its heads, and they agree' : 'no input of the graph takes a head count';
  return [`the number of heads that was given had no effect: ${why}`];
}

function verified(
  view: GraphView,
  softmaxes: readonly ViewNode[],
  attempt: Attempt,
  options: FindOptions,
): Omit<Finding, 'notices'> {
  const found: FoundSite[] = [];
  const skipped: SkippedSite[] = [];
  const second = new Inquiry(view, evaluate(view, attempt.again));
  const elsewhere = attempt.results.find((result) => result instanceof Refusal && result.cause === 'elsewhere');
  const borrowed = borrowers(attempt.results);
  softmaxes.forEach((softmax, i) => {
    let result = attempt.results[i] as AttentionBlock | Refusal;
    if (!(result instanceof Refusal)) result = disagreement(result, blockOrRefusal(second, softmax), softmax) ?? result;
    if (elsewhere && !(result instanceof Refusal) && (result.key.cache || result.value.cache)) {
      const reason = `its caches go with those that another graph makes (${(elsewhere as Refusal).message}), which would have to be swapped alike`;
      result = new Refusal(reason, [softmax.source, ...(elsewhere as Refusal).nodes]);
    }
    const others = result instanceof Refusal ? undefined : borrowed.get(result);
    if (others) {
      const names = others.join(', ');
      result = new Refusal(
        `it and ${names} use the same keys or values, which would have to be swapped together`,
        others,
      );
    }
    if (result instanceof Refusal) {
      skipped.push({ name: softmax.source, reason: result.message, nodes: result.nodes });
      return;
    }
    if (options.numHeads !== undefined && options.numHeads !== result.numHeads) {
      throw new RangeError(
        `numHeads: the graph gives ${softmax.source} ${result.numHeads} heads of ${result.headDim}, ` +
          `not ${options.numHeads}; leave the option out`,
      );
    }
    found.push({ site: describe(attempt.inquiry, result, found.length), block: result });
  });
  return { found, skipped };
}

/** Blocks whose keys or values are computed once for several of them, with the names of the others. */
function borrowers(results: readonly (AttentionBlock | Refusal)[]): ReadonlyMap<AttentionBlock, readonly string[]> {
  const blocks = results.flatMap((result) => (result instanceof Refusal ? [] : [result]));
  const uses = new Map<string, AttentionBlock[]>();
  for (const block of blocks) {
    for (const { traced, heads } of [block.key, block.value]) {
      const use = `${traced.projection.node.outputs[0]}|${heads.columns}`;
      uses.set(use, [...new Set([...(uses.get(use) ?? []), block])]);
    }
  }
  return new Map(
    [...uses.values()].flatMap((together) =>
      together.length < 2
        ? []
        : together.map((block): [AttentionBlock, string[]] => {
            const others = together.filter((other) => other !== block);
            return [block, others.map(({ chain }) => chain.softmax.source)];
          }),
    ),
  );
}

/** What hangs on the sizes tried is no property of the graph. */
function disagreement(one: AttentionBlock, two: AttentionBlock | Refusal, softmax: ViewNode): Refusal | undefined {
  if (two instanceof Refusal) return two;
  const columns = (block: AttentionBlock) =>
    [block.query, block.key, block.value].map(({ heads }) => heads.columns.join()).join('|');
  const turns = (block: AttentionBlock) =>
    JSON.stringify([block.query, block.key].map(({ norm, rotation }) => [norm, rotation]));
  const same =
    one.numHeads === two.numHeads &&
    one.headDim === two.headDim &&
    one.valueHeadDim === two.valueHeadDim &&
    one.chainScale === two.chainScale &&
    columns(one) === columns(two) &&
    turns(one) === turns(two) &&
    sameCoefficients(one, two) &&
    (!one.sized || sameWeights(one.weights(), two.weights()));
  return same
    ? undefined
    : new Refusal('its layout, scale or bias changes with the size of the inputs', sources(softmax));
}

/** Scales and biases on the way to the products: some exporters compute a scale from a size. */
function sameCoefficients(one: AttentionBlock, two: AttentionBlock): boolean {
  const close = (a: number, b: number) => Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
  const same = (a: Float64Array, b: Float64Array) => a.every((number, i) => close(number, b[i] as number));
  return (['query', 'key', 'value'] as const).every(
    (part) =>
      same(one[part].heads.gain, two[part].heads.gain) &&
      same(one[part].heads.offset, two[part].heads.offset) &&
      same(one[part].heads.late, two[part].heads.late),
  );
}

function sameWeights(one: AttentionWeights, two: AttentionWeights): boolean {
  return (['query', 'key', 'value', 'output'] as const).every((part) => {
    const [a, b] = [one[part].weight.data, two[part].weight.data];
    return a.length === b.length && a.every((number, i) => number === b[i]);
  });
}

function describe(inquiry: Inquiry, block: AttentionBlock, index: number): AttentionSite {
  const streams = {
    query: block.query.stream?.value ?? block.query.traced.projection.stream,
    key: block.key.stream?.value ?? block.key.traced.projection.stream,
    value: block.value.stream?.value ?? block.value.traced.projection.stream,
  };
  const count = ({ traced, heads }: BlockProjection) =>
    new Set(heads.columns).size * (traced.projection.inputDim + (traced.hasBias ? 1 : 0));
  const biasOf = block.output.bias ? elementCount(inquiry.dims(block.output.bias.value)) : 0;
  const outputCount = block.numHeads * block.valueHeadDim * block.output.outputDim + biasOf;
  const parameters = {
    query: count(block.query),
    key: count(block.key),
    value: count(block.value),
    output: outputCount,
  };
  const { chain } = block;
  return {
    index,
    name: chain.softmax.source,
    kind: streams.query === streams.key ? 'self' : 'cross',
    numHeads: block.numHeads,
    headDim: block.headDim,
    valueHeadDim: block.valueHeadDim,
    groups: { queryKey: groupCount(block.groups.queryKey), value: groupCount(block.groups.value) },
    streams,
    dims: {
      query: block.query.traced.projection.inputDim,
      key: block.key.traced.projection.inputDim,
      value: block.value.traced.projection.inputDim,
      output: block.output.outputDim,
    },
    scale: block.chainScale * block.query.traced.scale * block.key.traced.scale,
    mask: block.mask,
    position: block.query.rotation ? 'rotary' : block.mask.includes('per-head bias') ? 'relative bias' : 'none',
    norm: (block.query.norm ?? block.key.norm)?.over ?? 'none',
    cache: cacheOf(block),
    readOutside: block.readOutside,
    parameters: { ...parameters, total: parameters.query + parameters.key + parameters.value + parameters.output },
    nodes: {
      query: sources(...block.query.traced.nodes),
      key: sources(...block.key.traced.nodes),
      value: sources(...block.value.traced.nodes),
      scores: sources(
        chain.product,
        ...chain.before.map(({ node }) => node),
        chain.softmax,
        ...chain.after.map(({ node }) => node),
        chain.context,
      ),
      output: sources(...block.output.layout, block.output.product, block.output.bias?.node),
    },
  };
}

function cacheOf({ key, value }: AttentionBlock): AttentionSite['cache'] {
  const of = ({ cache }: BlockProjection): SiteCache | null =>
    cache && { past: cache.past ?? cache.joined, present: cache.present, axes: cache.axes };
  return key.cache || value.cache ? { key: of(key), value: of(value) } : null;
}
