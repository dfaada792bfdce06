import type { GraphIndex } from './graph-index.js';
import type { NodeDef } from './node-def.js';
import { dataInputs, nodeOfValue } from './node-def.js';

/**
 * The nodes that some values are computed from.
 *
 * @param stopAt - values behind which the walk does not look.
 */
export function reach(
  index: Pick<GraphIndex, 'node'>,
  values: Iterable<string>,
  stopAt: ReadonlySet<string> = new Set(),
): Set<NodeDef> {
  const found = new Set<NodeDef>();
  const open = [...values];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (stopAt.has(value)) continue;
    const node = index.node(nodeOfValue(value));
    if (node === undefined || found.has(node)) continue;
    found.add(node);
    open.push(...dataInputs(node));
  }
  return found;
}
