import type { TfjsModel } from '../file/model.js';
import type { GraphDef, NodeDef } from './node-def.js';
import { dataInputs, nodeInputs, nodeOfValue } from './node-def.js';
import { sortNodes } from './sort-nodes.js';

/**
 * A model with other nodes, without what the change left without a use: nodes, and weights that only these read. What
 * nothing read in the original stays as the user had it.
 *
 * @param nodes - the changed nodes, in any order.
 */
export function withNodes(model: TfjsModel, nodes: readonly NodeDef[], weights = model.weights): TfjsModel {
  const graph = model.fields.modelTopology as GraphDef;
  const isRead = new Set(graph.node.flatMap(nodeInputs));
  const roots = graph.node.filter(({ name }) => !isRead.has(name)).map(({ name }) => name);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const used = new Set<string>();
  const open = [...roots, ...signatureNodes(model)];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (used.has(name)) continue;
    used.add(name);
    const node = byName.get(name);
    // Nothing is computed for a node that only waits: it goes where nothing else needs it.
    open.push(...(node ? dataInputs(node).map(nodeOfValue) : []));
  }
  const kept = nodes
    .filter(({ name, op }) => used.has(name) || op === 'Placeholder')
    .map((node) => withoutControl(node, (name) => used.has(name)));
  const dropped = new Set([...graph.node, ...nodes].map(({ name }) => name).filter((name) => !used.has(name)));
  const initializer = (model.fields.modelInitializer as Partial<GraphDef> | undefined)?.node ?? [];
  for (const { name } of initializer) dropped.delete(name);
  return model.with({
    modelTopology: { ...graph, node: sortNodes(kept, model.name) },
    weights: weights.filter(({ spec }) => !dropped.has(spec.name)),
  });
}

function withoutControl(node: NodeDef, isUsed: (name: string) => boolean): NodeDef {
  const isGone = (input: string) => input.startsWith('^') && !isUsed(input.slice(1));
  return node.input?.some(isGone) ? { ...node, input: node.input.filter((input) => !isGone(input)) } : node;
}

function signatureNodes({ fields }: TfjsModel): string[] {
  const metadata = fields.userDefinedMetadata as { readonly signature?: unknown } | undefined;
  const names: string[] = [];
  for (const signature of [fields.signature, metadata?.signature]) {
    const { inputs, outputs } = (signature ?? {}) as Record<string, Record<string, { readonly name?: string }>>;
    for (const entry of [...Object.values(inputs ?? {}), ...Object.values(outputs ?? {})]) {
      if (entry?.name) names.push(nodeOfValue(entry.name));
    }
  }
  return names;
}
