import type { NodeProto } from 'onnx-buf';
import { isOnnxDomain } from '../graph/constant-tensor.js';
import type { GraphIndex } from '../graph/graph-index.js';

/** A node that a value reaches, and the input at which it arrives. */
export interface Arrival {
  readonly node: NodeProto;
  readonly input: number;
}

/** Operators that hand on the values of their first input as they are, all or some of them. */
const UNCHANGED = new Set([
  ...['Cast', 'Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose', 'Slice', 'Expand', 'Tile'],
]);

/**
 * Follows a value forward, through all that only casts it, moves it or changes its shape, to the ONNX operators that
 * use it.
 *
 * @param index - index of the graph.
 * @param value - where to start.
 * @param through - operators to look behind as well, whichever input the value arrives at.
 */
export function arrivals(index: GraphIndex, value: string, through: readonly string[] = []): Arrival[] {
  const found: Arrival[] = [];
  const seen = new Set<string>();
  const pending = [value];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const consumer of index.consumers(name)) {
      const node = index.node(consumer.node);
      if (consumer.input === null || !isOnnxDomain(node.domain)) continue;
      const handsOn = UNCHANGED.has(node.opType) ? consumer.input === 0 : through.includes(node.opType);
      if (handsOn) pending.push(...node.output);
      else found.push({ node, input: consumer.input });
    }
  }
  return found;
}
