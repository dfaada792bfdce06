// What every graph that the product writes has to be.
import { expect } from 'vitest';
import type { TfjsModel } from '../src/file/model.js';
import { graphOf } from '../src/graph-model/graph-model.js';
import { dataInputs, nodeInputs, nodeOfValue } from '../src/graph-model/node-def.js';
import { sortNodes } from '../src/graph-model/sort-nodes.js';

/** Operators that all backends of TensorFlow.js run (cpu, wasm, webgl, webgpu): what new nodes may be. */
const everywhere = new Set([
  ...['Const', 'Identity', 'MatMul', 'BatchMatMulV2', 'Conv2D', 'AddV2', 'Sub', 'Mul', 'RealDiv', 'Exp', 'Max'],
  ...['Softmax', 'Reshape', 'Transpose', 'GatherV2', 'SelectV2', 'Pack', 'ConcatV2', 'Shape', 'StridedSlice', 'SplitV'],
  ...['_FusedMatMul', 'Prod'],
]);

/** Expects a changed model to be sorted, complete, without leftovers, and of operators that run wherever it ran. */
export function expectSound(model: TfjsModel, original: TfjsModel): void {
  const [graph, before] = [graphOf(model), graphOf(original)];
  expect(sortNodes(graph.node, model.name)).toEqual(graph.node);
  const names = graph.node.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const known = new Map(graph.node.map((node) => [node.name, node]));
  // Every constant has its weight, and no weight is left without its constant.
  expect(model.weights.map(({ spec }) => spec.name).sort()).toEqual(
    graph.node
      .filter(({ op }) => op === 'Const')
      .map(({ name }) => name)
      .sort(),
  );
  const read = new Set(graph.node.flatMap(nodeInputs));
  const wasRead = new Set(before.node.flatMap(nodeInputs));
  const loose = graph.node.filter(({ name }) => !read.has(name)).map(({ name }) => name);
  expect(loose.filter((name) => wasRead.has(name))).toEqual([]);
  for (const node of graph.node) for (const value of dataInputs(node)) expect(known.has(nodeOfValue(value))).toBe(true);
  const { modelTopology, ...fields } = model.fields;
  const { modelTopology: _, ...others } = original.fields;
  expect(fields).toEqual(others);
  const ops = new Set(before.node.map(({ op }) => op));
  expect(graph.node.map(({ op }) => op).filter((op) => !ops.has(op) && !everywhere.has(op))).toEqual([]);
  // What keeps its name keeps its bytes: they are the very bytes that were read.
  const weights = new Map(original.weights.map((weight) => [weight.spec.name, weight]));
  for (const weight of model.weights) expect(weights.get(weight.spec.name) ?? weight).toBe(weight);
}
