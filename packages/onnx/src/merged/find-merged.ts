import type { Finding, FindOptions } from '@mhe/core';
import { findAttention } from '@mhe/core';
import type { OnnxModel } from '../graph/model.js';
import { graphView } from '../view/graph-view.js';
import { liftBranch } from './lift-branch.js';
import type { MergedDecoder } from './merged-decoder.js';
import { presentOf } from './merged-decoder.js';
import type { PairedSite } from './pair-sites.js';
import { pairSites } from './pair-sites.js';
import { SPLICED, spliceCaches } from './splice-caches.js';

/** A merged decoder with its branches as models of their own, and the attention that both have. */
export interface FoundMerged {
  readonly decoder: MergedDecoder;
  readonly first: OnnxModel;
  readonly later: OnnxModel;
  /** The later branch with the caches that it adds nothing to made from the encoder's output. */
  readonly spliced: OnnxModel;
  readonly pairs: readonly PairedSite[];
  /** The sites as the first branch has them, with the whole model's caches; what is skipped, of both branches. */
  readonly finding: Finding;
}

/** Finds the attention of a merged decoder: in each branch by itself, paired. */
export function findMerged(decoder: MergedDecoder, options: FindOptions): FoundMerged {
  const [first, later] = [decoder.first, decoder.later].map(({ graph }) => liftBranch(decoder.model, graph)) as [
    OnnxModel,
    OnnxModel,
  ];
  const { model: spliced, caches } = spliceCaches(decoder, first, later);
  const ofFirst = findAttention({ ...graphView(first), kept: new Set(decoder.pasts.map(presentOf)) }, options);
  const ofLater = findAttention({ ...graphView(spliced), kept: new Set(caches) }, options);
  // A cache may be made from sizes far down in the first branch, and its attention come along.
  const isOwn = (name: string) => !name.startsWith(SPLICED);
  const { pairs, skipped } = pairSites(ofFirst, {
    found: ofLater.found.filter(({ site }) => isOwn(site.name)),
    skipped: ofLater.skipped.filter(({ name }) => isOwn(name)),
  });
  const found = pairs.map(({ site, first }) => ({ site, block: first }));
  const notices = [...new Set([...ofFirst.notices, ...ofLater.notices])];
  return { decoder, first, later, spliced, pairs, finding: { found, skipped, notices } };
}
