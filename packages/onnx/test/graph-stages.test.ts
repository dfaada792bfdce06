import fc from 'fast-check';
import { type GraphProto, TensorProto_DataType } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { readNames } from '../src/graph/captures.js';
import { contractBlocks } from '../src/graph/contract-blocks.js';
import { extractModel } from '../src/graph/extract-model.js';
import { graphIndex } from '../src/graph/graph-index.js';
import { planStages } from '../src/graph/plan-stages.js';
import { floats, graph, model, node, value } from './graph-builder.js';
import { anyGraph } from './graph-random.js';
import { runFloats } from './graph-run.js';

const FLOAT = TensorProto_DataType.FLOAT;
const x = value('x', FLOAT, [3]);

/** Blocks that may or may not run in one piece: every node is in one of three blocks or in none. */
const anyBlocks = anyGraph.chain((sorted) =>
  fc
    .array(fc.integer({ min: -2, max: 2 }), { minLength: sorted.node.length, maxLength: sorted.node.length })
    .map((choice) => ({
      sorted,
      blocks: [0, 1, 2].map((block) => sorted.node.flatMap((_, i) => (choice[i] === block ? [i] : []))),
    })),
);

/** Blocks that always run in one piece: neighbours in the order of the graph. */
const runsOfNodes = anyGraph.chain((sorted) =>
  fc.array(fc.nat(sorted.node.length), { minLength: 4, maxLength: 4 }).map((cuts) => {
    const [a = 0, b = 0, c = 0, d = 0] = cuts.sort((p, q) => p - q);
    const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
    return { sorted, blocks: [range(c, d), range(a, b)] };
  }),
);

describe('contractBlocks', () => {
  it('refuses exactly where the contracted graph has a circle', () => {
    let refused = 0;
    let accepted = 0;
    fc.assert(
      fc.property(anyBlocks, ({ sorted, blocks }) => {
        const attempt = () => contractBlocks(graphIndex(sorted), blocks);
        if (hasCircle(sorted, blocks)) {
          refused++;
          expect(attempt).toThrow('cannot run in one piece');
        } else {
          accepted++;
          expect(attempt().order.toSorted()).toEqual([0, 1, 2]);
        }
      }),
      { numRuns: 600, seed: 3 },
    );
    expect(Math.min(refused, accepted)).toBeGreaterThan(40);
  });

  it('puts before each block what it needs, and no more', () => {
    const nodes = [
      node('Neg', ['x'], ['a']),
      node('Exp', ['x'], ['late']),
      node('Tanh', ['a'], ['b']),
      node('Neg', ['b'], ['c']),
      node('Tanh', ['c'], ['d']),
      node('Add', ['d', 'late'], ['y']),
    ];
    const index = graphIndex(graph({ node: nodes, input: [x], output: [value('y')] }));
    const { order, segments } = contractBlocks(index, [[4], [2]]);
    expect(order).toEqual([1, 0]);
    expect(segments).toEqual([[0], [3], [1, 5]]);
  });

  it('names the nodes through which a block waits for itself', () => {
    const nodes = [node('Neg', ['x'], ['a']), node('Exp', ['a'], ['b']), node('Tanh', ['b'], ['c'])];
    const index = graphIndex(graph({ node: nodes, input: [x], output: [value('c')] }));
    expect(() => contractBlocks(index, [[0, 2]])).toThrow(
      'Block 0 cannot run in one piece, it would wait for itself: "node_c" (Tanh) of block 0 reads from "node_b" (Exp); "node_b" (Exp) reads from "node_a" (Neg) of block 0.',
    );
  });

  it('refuses overlapping blocks, except for constants', () => {
    const nodes = [
      node('Transpose', ['w'], ['wt']),
      node('MatMul', ['x', 'wt'], ['a']),
      node('MatMul', ['a', 'wt'], ['b']),
    ];
    const index = graphIndex(
      graph({ node: nodes, input: [x], output: [value('b')], initializer: [floats('w', [3, 3], Array(9).fill(1))] }),
    );
    expect(() => contractBlocks(index, [[1], [1, 2]])).toThrow('Node "node_a" (MatMul) is in block 0 and in block 1.');
    const { blocks, segments } = contractBlocks(index, [
      [0, 1],
      [0, 2],
    ]);
    expect(blocks).toEqual([[1], [2]]);
    expect(segments).toEqual([[], [], []]);
  });
});

describe('planStages', () => {
  it('computes stage by stage what the whole model computes', async () => {
    const feeds = { x: Float32Array.of(0.5, -1, 2), y: Float32Array.of(1, 0.25, -0.75) };
    await fc.assert(
      fc.asyncProperty(runsOfNodes, async ({ sorted, blocks }) => {
        const stages = planStages(graphIndex(sorted), blocks);
        expect(stages.map((stage) => stage.block).toSorted()).toEqual([0, 1, null]);
        expect(stages.at(-1)?.block).toBe(null);
        let held: Record<string, Float32Array> = {};
        for (const stage of stages) {
          const inputs = stage.inputs.map((name) => (name === 'x' || name === 'y' ? name : { name, elemType: FLOAT }));
          const available = { ...feeds, ...held };
          expect(Object.keys(available)).toEqual(expect.arrayContaining([...stage.inputs]));
          const part = extractModel(model(sorted), { inputs, outputs: stage.outputs });
          const made = stage.outputs.length === 0 ? {} : await runFloats(part, available);
          held = Object.fromEntries(stage.held.map((name) => [name, (made[name] ?? held[name]) as Float32Array]));
        }
        expect(held).toEqual(await runFloats(model(sorted), feeds));
      }),
      { numRuns: 60, seed: 4 },
    );
  });

  it('holds what later stages read, and forgets the rest; constants cross no cut', () => {
    const nodes = [
      node('Transpose', ['w'], ['wt']),
      node('Neg', ['x'], ['mask']),
      node('MatMul', ['x', 'wt'], ['a']),
      node('Add', ['a', 'mask'], ['b']),
      node('MatMul', ['b', 'wt'], ['c']),
      node('Add', ['c', 'mask'], ['d']),
      node('Exp', ['d'], ['y']),
    ];
    const index = graphIndex(
      graph({ node: nodes, input: [x], output: [value('y')], initializer: [floats('w', [3, 3], Array(9).fill(1))] }),
    );
    expect(
      planStages(index, [
        [2, 3],
        [4, 5],
      ]),
    ).toEqual([
      { block: 0, nodes: [1, 2, 3], inputs: ['x'], outputs: ['mask', 'b'], held: ['mask', 'b'] },
      { block: 1, nodes: [4, 5], inputs: ['b', 'mask'], outputs: ['d'], held: ['d'] },
      { block: null, nodes: [6], inputs: ['d'], outputs: ['y'], held: ['y'] },
    ]);
  });
});

/** By transitive closure over the contracted graph. */
function hasCircle(sorted: GraphProto, blocks: readonly (readonly number[])[]): boolean {
  const isConstant = constantByClosure(sorted);
  const unit = sorted.node.map((_, i) => {
    const block = blocks.findIndex((nodes) => nodes.includes(i));
    return block < 0 ? 3 + i : block;
  });
  const size = 3 + sorted.node.length;
  const reaches = Array.from({ length: size }, () => new Array<boolean>(size).fill(false));
  sorted.node.forEach((reader, i) => {
    sorted.node.forEach((producer, j) => {
      const feeds = producer.output.some((name) => readNames(reader).includes(name));
      if (feeds && !isConstant[i] && !isConstant[j] && unit[i] !== unit[j]) {
        (reaches[unit[j] as number] as boolean[])[unit[i] as number] = true;
      }
    });
  });
  for (const row of reaches.keys()) {
    for (const from of reaches) {
      if (from[row])
        reaches[row]?.forEach((reached, to) => {
          from[to] ||= reached;
        });
    }
  }
  return reaches.some((row, i) => row[i]);
}

/** Nodes without `x`, `y` or an If behind them. */
function constantByClosure(sorted: GraphProto): boolean[] {
  const varying = new Set(['x', 'y']);
  return sorted.node.map((item) => {
    const varies = item.opType === 'If' || item.input.some((name) => varying.has(name));
    if (varies) for (const name of item.output) varying.add(name);
    return !varies;
  });
}
