import type { AttentionBlock, AttentionSite, BlockCache, FoundSite, SiteCache, SkippedSite } from '@mhe/core';
import { canonicalObstacle } from '@mhe/core';
import { presentOf } from './merged-decoder.js';

/** One site of a merged decoder: the same attention in both branches. */
export interface PairedSite {
  readonly site: AttentionSite;
  readonly first: AttentionBlock;
  readonly later: AttentionBlock;
}

/** What both branches' findings come to. */
export interface Pairing {
  readonly pairs: readonly PairedSite[];
  readonly skipped: readonly SkippedSite[];
}

/** Of a finding, what pairing needs. */
export interface BranchFinding {
  readonly found: readonly FoundSite[];
  readonly skipped: readonly SkippedSite[];
}

/**
 * Pairs the sites of two branches by the weights that they share, and sites of the same weights in their order. What
 * has no partner, or one with other caches, is skipped in both.
 */
export function pairSites(first: BranchFinding, later: BranchFinding): Pairing {
  const partners = new Map<string, FoundSite[]>();
  for (const found of later.found) {
    const weights = weightsOf(found.block);
    partners.set(weights, [...(partners.get(weights) ?? []), found]);
  }
  const pairs: PairedSite[] = [];
  const skipped: SkippedSite[] = [];
  for (const { site, block } of first.found) {
    const partner = partners.get(weightsOf(block))?.shift();
    const obstacle = partner ? pairObstacle(block, partner.block) : noPartner(site, later.skipped, LATER);
    if (!partner || obstacle !== null) skipped.push({ name: site.name, ...asSkip(obstacle, site) });
    else
      pairs.push({
        site: { ...site, index: pairs.length, cache: cachesOf(site, partner.site) },
        first: block,
        later: partner.block,
      });
  }
  const named = new Set(skipped.map(({ name }) => name));
  for (const { site } of [...partners.values()].flat()) {
    if (!named.has(site.name))
      skipped.push({ name: site.name, ...asSkip(noPartner(site, first.skipped, FIRST), site) });
    named.add(site.name);
  }
  for (const [skips, branch] of [
    [first.skipped, FIRST],
    [later.skipped, LATER],
  ] as const) {
    for (const skip of skips) {
      if (!named.has(skip.name)) skipped.push({ ...skip, reason: `in ${branch}: ${skip.reason}` });
      named.add(skip.name);
    }
  }
  return { pairs, skipped };
}

const FIRST = 'the branch of the first step';
const LATER = 'the branch of the later steps';

interface Obstacle {
  readonly reason: string;
  readonly nodes: readonly string[];
}

function asSkip(obstacle: Obstacle | null, site: AttentionSite): Obstacle {
  return obstacle ?? { reason: 'it is in one branch alone', nodes: [site.name] };
}

function weightsOf({ query, key, value, output }: AttentionBlock): string {
  return JSON.stringify([...[query, key, value].map(({ traced }) => traced.projection.weight), output.weight]);
}

function noPartner({ name }: AttentionSite, others: readonly SkippedSite[], branch: string): Obstacle {
  const why = others.find((skip) => skip.name === name);
  return why
    ? { reason: `in ${branch}: ${why.reason}`, nodes: why.nodes }
    : { reason: `${branch} has no attention of the same weights, and both have to be swapped alike`, nodes: [name] };
}

function pairObstacle(first: AttentionBlock, later: AttentionBlock): Obstacle | null {
  const nodes = [...new Set([first.chain.softmax.source, later.chain.softmax.source])];
  const unlike =
    first.numHeads !== later.numHeads ||
    first.headDim !== later.headDim ||
    first.valueHeadDim !== later.valueHeadDim ||
    JSON.stringify(first.groups) !== JSON.stringify(later.groups);
  if (unlike) return { reason: 'its heads are laid out otherwise in the two branches', nodes };
  for (const [block, branch] of [
    [first, FIRST],
    [later, LATER],
  ] as const) {
    const obstacle = canonicalObstacle(block);
    if (obstacle !== null) return { reason: `in ${branch}: ${obstacle}`, nodes };
  }
  for (const part of ['key', 'value'] as const) {
    const [made, taken] = [first[part].cache, later[part].cache];
    if (!made && !taken) continue;
    if (!made || !taken || !goesTo(made, taken)) {
      return { reason: `the ${part}s that the first step hands on are not those that the later steps take`, nodes };
    }
  }
  return null;
}

function goesTo(made: BlockCache, taken: BlockCache): boolean {
  const out = new Set(made.present);
  const isAlike = made.axes.join() === taken.axes.join();
  return (
    isAlike && (taken.past === null ? out.has(presentOf(taken.joined)) : taken.present.some((name) => out.has(name)))
  );
}

/** The caches as the whole model has them: what comes in is the later branch's. */
function cachesOf(first: AttentionSite, later: AttentionSite): AttentionSite['cache'] {
  const of = (one: SiteCache | null | undefined, two: SiteCache | null | undefined): SiteCache | null =>
    one && two ? { ...one, past: two.past } : null;
  return (
    first.cache && { key: of(first.cache.key, later.cache?.key), value: of(first.cache.value, later.cache?.value) }
  );
}
