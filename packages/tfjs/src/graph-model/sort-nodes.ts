import { quoted, TfjsFileError } from '../file/tfjs-file-error.js';
import type { NodeDef } from './node-def.js';
import { nodeInputs } from './node-def.js';

/** In loops written as cycles of nodes (TensorFlow 1) it is what this operator makes that leads back. */
const LOOP_BACK = 'NextIteration';

/**
 * Orders nodes so that each stands after those it waits for, otherwise as they were.
 *
 * @throws TfjsFileError where two nodes have one name, a node waits for one that does not exist, or for itself.
 */
export function sortNodes(nodes: readonly NodeDef[], model: string): NodeDef[] {
  const byName = new Map<string, NodeDef>();
  for (const node of nodes) {
    if (typeof node?.name !== 'string' || typeof node.op !== 'string') {
      throw new TfjsFileError(model, 'damaged', 'a node of its graph has no name or no operator');
    }
    const { input = [] } = node;
    if (!Array.isArray(input) || input.some((value) => typeof value !== 'string')) {
      throw new TfjsFileError(model, 'damaged', `a node of its graph, ${quoted(node.name)}, has no list of inputs`);
    }
    if (byName.has(node.name)) throw new TfjsFileError(model, 'damaged', `two nodes are called ${quoted(node.name)}`);
    byName.set(node.name, node);
  }
  const sorted: NodeDef[] = [];
  const state = new Map<NodeDef, 'open' | 'done'>();
  const stack: { readonly node: NodeDef; readonly waitsFor: readonly string[]; next: number }[] = [];
  const enter = (node: NodeDef) => {
    state.set(node, 'open');
    stack.push({ node, waitsFor: nodeInputs(node), next: 0 });
  };
  for (const start of nodes) {
    if (!state.has(start)) enter(start);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const name = top.waitsFor[top.next++];
      if (name === undefined) {
        state.set(top.node, 'done');
        sorted.push(top.node);
        stack.pop();
        continue;
      }
      const needed = byName.get(name);
      if (needed === undefined) {
        const what = `the node ${quoted(top.node.name)} reads ${quoted(name)}, which does not exist`;
        throw new TfjsFileError(model, 'damaged', what);
      }
      if (needed.op === LOOP_BACK) continue;
      if (state.get(needed) === 'open') {
        throw new TfjsFileError(model, 'damaged', `the node ${quoted(name)} waits for itself`);
      }
      if (!state.has(needed)) enter(needed);
    }
  }
  return sorted;
}
