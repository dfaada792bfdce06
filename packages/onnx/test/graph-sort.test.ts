import fc from 'fast-check';
import { type GraphProto, TensorProto_DataType } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { edit } from '../src/graph/edit.js';
import { sortNodes } from '../src/graph/sort-nodes.js';
import { floats, graph, model, node, value } from './graph-builder.js';
import { anyGraph } from './graph-random.js';
import { runFloats } from './graph-run.js';

const FLOAT = TensorProto_DataType.FLOAT;
const x = value('x', FLOAT, [3]);

/** The random graphs with their nodes in random order. */
const shuffled = anyGraph.chain((sorted) =>
  fc
    .shuffledSubarray(sorted.node, { minLength: sorted.node.length })
    .map((node) => ({ sorted, mixed: edit(sorted, { node }) })),
);

describe('sortNodes', () => {
  it('gives graphs that ONNX Runtime computes as before the shuffle', async () => {
    const feeds = { x: Float32Array.of(0.5, -1, 2), y: Float32Array.of(1, 0.25, -0.75) };
    await fc.assert(
      fc.asyncProperty(shuffled, async ({ sorted, mixed }) => {
        const again = sortNodes(mixed);
        expect(new Set(again.node)).toEqual(new Set(sorted.node));
        expect(readsBeforeDefinition(again)).toEqual([]);
        expect(await runFloats(model(again), feeds)).toEqual(await runFloats(model(sorted), feeds));
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('returns a sorted graph as the same object', () => {
    fc.assert(
      fc.property(anyGraph, (sorted) => {
        expect(sortNodes(sorted)).toBe(sorted);
      }),
      { seed: 2 },
    );
  });

  it('moves only what is needed earlier', () => {
    const [a, b, c, d] = [
      node('Neg', ['x'], ['a']),
      node('Add', ['a', 'd'], ['b']),
      node('Neg', ['x'], ['c']),
      node('Neg', ['x'], ['d']),
    ] as const;
    const sorted = sortNodes(graph({ node: [a, b, c, d], input: [x], output: [value('b')] }));
    expect(sorted.node).toEqual([a, d, b, c]);
  });

  it('counts what nested graphs capture, and sorts them too', () => {
    const inner = (name: string) =>
      graph({
        node: [node('Neg', [`${name}_mid`], [`${name}_out`]), node('Add', ['late', 'x'], [`${name}_mid`])],
        output: [value(`${name}_out`)],
      });
    const branch = node('If', ['yes'], ['y'], { then_branch: inner('then'), else_branch: inner('else') });
    const late = node('Neg', ['x'], ['late']);
    const yes = node('Not', ['no'], ['yes']);
    const sorted = sortNodes(
      graph({
        node: [branch, late, yes],
        input: [x, value('no', TensorProto_DataType.BOOL, [])],
        output: [value('y')],
      }),
    );
    expect(sorted.node.map((item) => item.opType)).toEqual(['Not', 'Neg', 'If']);
    const bodies = sorted.node[2]?.attribute.map((attribute) => attribute.g?.node.map((item) => item.opType));
    expect(bodies).toEqual([
      ['Add', 'Neg'],
      ['Add', 'Neg'],
    ]);
  });

  it('is not stopped by depth', () => {
    const length = 100_000;
    const chain = Array.from({ length }, (_, i) => node('Neg', [i === 0 ? 'x' : `v${i - 1}`], [`v${i}`]));
    const sorted = sortNodes(graph({ node: chain.toReversed(), input: [x], output: [value(`v${length - 1}`)] }));
    expect(sorted.node[0]).toBe(chain[0]);
    expect(sorted.node[length - 1]).toBe(chain[length - 1]);
  });

  it('names the nodes of a circle', () => {
    const circle = graph({
      node: [node('Add', ['x', 'c'], ['a']), node('Neg', ['a'], ['b']), node('Exp', ['b'], ['c'])],
      input: [x],
      output: [value('c')],
    });
    expect(() => sortNodes(circle)).toThrow(
      'Nodes depend on each other in a circle: "node_a" (Add), which reads from "node_c" (Exp), which reads from "node_b" (Neg).',
    );
  });

  it('finds a node that reads itself', () => {
    const loop = graph({ node: [node('Add', ['x', 'a'], ['a'])], input: [x], output: [value('a')] });
    expect(() => sortNodes(loop)).toThrow('in a circle: "node_a" (Add).');
  });

  it.each([
    [
      'two nodes define a value',
      graph({ node: [node('Neg', ['x'], ['a']), node('Exp', ['x'], ['a'])], input: [x] }),
      'Value "a" is defined twice in graph "test": by node "node_a" (Neg) and by node "node_a" (Exp).',
    ],
    [
      'a node defines an input',
      graph({ node: [node('Neg', ['x'], ['x'])], input: [x] }),
      'Value "x" is defined twice in graph "test": by an input or initializer and by node "node_x" (Neg).',
    ],
    ['two inputs share a name', graph({ input: [x, x] }), 'Graph "test" has two inputs named "x".'],
    [
      'two initialisers share a name',
      graph({ initializer: [floats('w', [1], [1]), floats('w', [1], [1])] }),
      'Graph "test" has two initializers named "w".',
    ],
    [
      'a node reads what nothing defines',
      graph({ node: [node('Neg', ['z'], ['a'])], input: [x] }),
      'Node "node_a" (Neg) reads "z", which nothing defines.',
    ],
    [
      'an output is computed by no node',
      graph({ input: [x], output: [value('q')] }),
      'Output "q" of graph "test" is computed by no node.',
    ],
    [
      'a nested graph reads what nothing defines',
      graph({
        node: [
          node('If', ['x'], ['a'], {
            then_branch: graph({ node: [node('Neg', ['z'], ['i'])], output: [value('i')] }),
          }),
        ],
        input: [x],
      }),
      'Node "node_i" (Neg) reads "z", which nothing defines.',
    ],
  ])('says so where %s', (_, broken, message) => {
    expect(() => sortNodes(broken)).toThrow(message);
  });

  it('accepts initialisers that are declared as inputs, and inputs left out', () => {
    const clip = graph({
      node: [node('Clip', ['x', '', 'w'], ['a'])],
      input: [x, value('w', FLOAT, [])],
      output: [value('a')],
      initializer: [floats('w', [], [1])],
    });
    expect(sortNodes(clip)).toBe(clip);
  });
});

/** Nodes that read a value before it is there, by a plain walk in order. */
function readsBeforeDefinition(sorted: GraphProto): string[] {
  const there = new Set([...sorted.input, ...sorted.initializer].map((item) => item.name));
  return sorted.node
    .filter((item) => {
      const bodies = item.attribute.flatMap((attribute) => attribute.g?.node ?? []);
      const early = [...item.input, ...bodies.flatMap((body) => body.input)].some((name) => !there.has(name));
      for (const name of item.output) there.add(name);
      return early;
    })
    .map((item) => item.name);
}
