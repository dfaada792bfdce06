import type { Finding, FindOptions, Inspection, SkippedSite } from '@mhe/core';
import { findAttention } from '@mhe/core';
import type { TfjsModel } from './file/model.js';
import { graphOf } from './graph-model/graph-model.js';
import type { NodeDef } from './graph-model/node-def.js';
import { graphView } from './view/graph-view.js';

/** Settings of {@link inspect}. */
export type InspectOptions = FindOptions;

/**
 * Finds the attention of a model, without running it: its sites, and what looks like attention and is left alone, with
 * the reason.
 *
 * @throws RangeError where `numHeads` disagrees with the graph.
 */
export async function inspect(model: TfjsModel, options: InspectOptions = {}): Promise<Inspection> {
  const { found, ...rest } = findSites(model, options);
  return { attention: found.map(({ site }) => site), ...rest };
}

/** {@link inspect} with what a swap needs of each site. */
export function findSites(model: TfjsModel, options: FindOptions): Finding {
  const finding = findAttention(graphView(model), options);
  return { ...finding, skipped: [...finding.skipped, ...insideFunctions(model)] };
}

/** Softmaxes that the view has none for: those in functions. */
function insideFunctions(model: TfjsModel): SkippedSite[] {
  const graph = graphOf(model);
  const holds = new Map(
    (graph.library?.function ?? []).map(({ signature, nodeDef = [] }) => [
      signature?.name,
      nodeDef.some(({ op }) => op === 'Softmax'),
    ]),
  );
  const isCall = ({ attr }: NodeDef) => Object.values(attr ?? {}).some(({ func }) => func && holds.get(func.name));
  return graph.node.filter(isCall).map(({ name, op }) => {
    const reason = `a softmax is inside a function that this ${op} runs; functions are not swapped`;
    return { name, reason, nodes: [name] };
  });
}
