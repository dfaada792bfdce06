// What every graph that the product writes has to be.
import { expect } from 'vitest';
import { readNames } from '../src/graph/captures.js';
import type { OnnxModel } from '../src/graph/model.js';
import { sortNodes } from '../src/graph/sort-nodes.js';

/** Expects a changed model to be sorted, complete, without leftovers, and of the original's operator sets. */
export function expectSound(model: OnnxModel, original: OnnxModel): void {
  const [graph, before] = [model.proto.graph, original.proto.graph];
  if (!graph || !before) throw new Error('no graph');
  expect(sortNodes(graph)).toBe(graph);
  const names = (entries: readonly { readonly name: string }[]) => entries.map(({ name }) => name);
  const isUnique = (list: readonly string[]) => new Set(list).size === list.length;
  const given = [...new Set([...names(graph.input), ...names(graph.initializer)])];
  const made = graph.node.flatMap(({ output }) => output).filter((value) => value !== '');
  expect(isUnique([...given, ...made])).toBe(true);
  expect(isUnique(names(graph.node).filter((name) => name !== ''))).toBe(true);
  const known = new Set([...given, ...made]);
  const read = new Set([...graph.node.flatMap(readNames), ...names(graph.output)]);
  expect([...read].filter((value) => !known.has(value))).toEqual([]);
  expect(names(graph.initializer).filter((value) => !read.has(value))).toEqual([]);
  expect(graph.node.filter(({ output }) => !output.some((value) => read.has(value)))).toEqual([]);
  expect(names(graph.valueInfo).filter((value) => !known.has(value))).toEqual([]);
  expect(names(graph.output)).toEqual(names(before.output));
  const fed = (entry: typeof graph) => names(entry.input).filter((name) => !names(entry.initializer).includes(name));
  const wasFed = fed(before);
  expect(fed(graph).filter((name) => !wasFed.includes(name))).toEqual([]);
  expect(model.proto.irVersion).toBe(original.proto.irVersion);
  expect(model.proto.opsetImport).toEqual(original.proto.opsetImport);
  const domains = new Set(before.node.map(({ domain }) => domain));
  expect(graph.node.filter(({ domain }) => domain !== '' && !domains.has(domain))).toEqual([]);
  // What keeps its name keeps its bytes: it is the very message that was read.
  const tensors = new Map(before.initializer.map((tensor) => [tensor.name, tensor]));
  for (const tensor of graph.initializer) expect(tensors.get(tensor.name) ?? tensor).toBe(tensor);
}
