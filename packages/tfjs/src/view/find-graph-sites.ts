import type { Finding, FindOptions, SkippedSite } from '@mhe/core';
import { findAttention } from '@mhe/core';
import type { TfjsModel } from '../file/model.js';
import { graphOf } from '../graph-model/graph-model.js';
import type { NodeDef } from '../graph-model/node-def.js';
import { graphView } from './graph-view.js';

/**
 * Finds the attention of a graph, with what a swap needs of each site.
 *
 * @throws RangeError where `numHeads` disagrees with the graph.
 */
export function findGraphSites(model: TfjsModel, options: FindOptions): Finding {
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
