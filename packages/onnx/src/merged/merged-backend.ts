import type { AttentionSite, BlockReplacement, Finished, OpenSite, SkippedSite, SwapBackend } from '@mhe/core';
import { PROBED_FEEDS } from '@mhe/core';
import type { GraphProto } from 'onnx-buf';
import { edit } from '../graph/edit.js';
import { graphIndex } from '../graph/graph-index.js';
import type { OnnxModel } from '../graph/model.js';
import { pruneGraph } from '../graph/prune-graph.js';
import { sortNodes } from '../graph/sort-nodes.js';
import type { HostTensors } from '../run/host-tensor.js';
import { insideNames } from '../swap/block-nodes.js';
import type { Frontier } from '../swap/frontier.js';
import { runAll } from '../swap/frontier.js';
import { modelSize } from '../swap/model-size.js';
import type { OnnxBackendOptions } from '../swap/onnx-backend.js';
import { OnnxSwapBackend, sitePrefix } from '../swap/onnx-backend.js';
import { ofOriginal } from '../swap/original-error.js';
import { OutputDifferences } from '../swap/output-differences.js';
import { replaceBlock } from '../swap/replace-block.js';
import type { FloatDtype } from '../tensor/dtype.js';
import type { FoundMerged } from './find-merged.js';
import { mergeBranches } from './merge-branches.js';
import { presentOf } from './merged-decoder.js';
import type { PairedSite } from './pair-sites.js';
import { stepFeeds } from './step-feeds.js';
import { withCacheShapes } from './with-cache-shapes.js';

/**
 * Swaps both branches of a merged decoder alike. The first branch, which sees whole sequences and makes all keys and
 * values, is captured, fitted and refitted like any model; the later branch gets the same weights at the same sites. Each
 * site's identity swap has to hold in both, in the later branch on caches of the first.
 */
export async function mergedBackend(
  found: FoundMerged,
  chosen: readonly PairedSite[],
  options: OnnxBackendOptions,
): Promise<SwapBackend<OnnxModel>> {
  const { decoder, first, spliced } = found;
  const { session, watch, feeds } = options;
  const probed = feeds.slice(0, PROBED_FEEDS);
  const steps = await stepFeeds(decoder, first, probed, session, { signal: watch.signal });
  const skipped: SkippedSite[] = [];
  let pairs = chosen;
  for (;;) {
    const replaced: ReplacedPair[] = [];
    const pairOf = new Map(pairs.map((pair) => [pair.site, pair]));
    const one = new OnnxSwapBackend(
      first,
      pairs.map(({ site, first }) => ({ site, block: first })),
      {
        ...options,
        onReplaced: (site, replacement) => replaced.push({ pair: pairOf.get(site) as PairedSite, replacement }),
      },
    );
    const two = new OnnxSwapBackend(
      spliced,
      pairs.map(({ site, later }) => ({ site, block: later })),
      { feeds: steps, session, watch: { signal: watch.signal } },
    );
    const isOrdered = (site: AttentionSite) => one.sites.indexOf(site) === two.sites.indexOf(site);
    const left = [...one.skipped, ...two.skipped, ...one.sites.filter((site) => !isOrdered(site)).map(inOtherOrder)];
    if (left.length === 0) {
      return {
        sites: one.sites,
        skipped,
        open: async (site) => bothBranches(await one.open(site), await two.open(site)),
        finish: async () => finished(found, await one.finish(), replaced, { ...options, feeds: probed }, steps),
      };
    }
    skipped.push(...left);
    const names = new Set(left.map(({ name }) => name));
    pairs = pairs.filter(({ site }) => !names.has(site.name));
  }
}

/** A pair that was swapped. */
interface ReplacedPair {
  readonly pair: PairedSite;
  readonly replacement: BlockReplacement & { readonly dtype: FloatDtype };
}

function inOtherOrder({ name }: AttentionSite): SkippedSite {
  return { name, reason: 'the two branches compute their attention in another order', nodes: [name] };
}

/** A site in both branches: what is measured is the first one's; both have to be proved. */
function bothBranches(first: OpenSite, later: OpenSite): OpenSite {
  const { weights, tokens, identityTolerance } = first;
  return {
    weights,
    tokens,
    identityTolerance,
    emptyRows: first.emptyRows || later.emptyRows,
    verify: async (identity) => worse(await first.verify(identity), await later.verify(identity)),
    moments: () => first.moments(),
    outputMoments: (replacement) => first.outputMoments(replacement),
    replace: async (replacement) => {
      const replaced = await first.replace(replacement);
      await later.keep();
      return replaced;
    },
    keep: async () => {
      await first.keep();
      await later.keep();
    },
  };
}

/** The larger of two differences; no number where one is none. */
function worse(one: number, other: number): number {
  return Number.isNaN(one) ? one : Math.max(one, other);
}

async function finished(
  { decoder, later, spliced, first: original }: FoundMerged,
  { model: first, outputs }: Finished<OnnxModel>,
  replaced: readonly ReplacedPair[],
  { feeds, session, watch }: OnnxBackendOptions,
  steps: Frontier,
): Promise<Finished<OnnxModel>> {
  const quiet = { signal: watch.signal };
  const sized = (model: OnnxModel) => withCacheShapes(model, replaced);
  const swapped = { first: sized(first), later: sized(replacedLater(later, spliced, replaced)) };
  const model = sized(mergeBranches(decoder, swapped.first, swapped.later));
  const before = await ofOriginal(() => runAll(later, steps, session, quiet));
  const next = first === original ? steps : await stepFeeds(decoder, swapped.first, feeds, session, quiet);
  const after = await runAll(swapped.later, next, session, quiet);
  const caches = new Set(decoder.pasts.map(presentOf));
  const names = (decoder.model.proto.graph?.output ?? []).map(({ name }) => name).filter((name) => !caches.has(name));
  const differences = new OutputDifferences(names);
  before.forEach((values, at) => {
    differences.add(values, after[at] as HostTensors);
  });
  const [was, is] = [modelSize(decoder.model), modelSize(model)];
  return {
    model,
    parameters: { before: was.parameters, after: is.parameters },
    bytes: { before: was.bytes, after: is.bytes },
    outputs: [...outputs, ...differences.all().map((each) => ({ ...each, name: `${each.name}, next step` }))],
  };
}

/** The later branch with the first one's weights in every replaced site, its caches inputs again. */
function replacedLater(later: OnnxModel, spliced: OnnxModel, replaced: readonly ReplacedPair[]): OnnxModel {
  const sorted = sortNodes(spliced.proto.graph as GraphProto);
  const index = graphIndex(sorted);
  let result: OnnxModel = { ...spliced, proto: edit(spliced.proto, { graph: sorted }) };
  for (const { pair, replacement } of replaced) {
    const place = { block: pair.later, inside: insideNames(index, pair.later) };
    result = replaceBlock(result, place, replacement, replacement.dtype, sitePrefix(pair.site));
  }
  const [graph, original] = [result.proto.graph as GraphProto, later.proto.graph as GraphProto];
  const inputs = new Set(original.input.map(({ name }) => name));
  const node = graph.node.filter(({ output }) => !output.some((name) => inputs.has(name)));
  return {
    ...later,
    proto: edit(later.proto, { graph: pruneGraph(edit(graph, { node, input: original.input }), original) }),
  };
}
