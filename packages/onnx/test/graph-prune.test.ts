import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { type GraphProto, type NodeProto, TensorAnnotationSchema, TensorProto_DataType } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { edit } from '../src/graph/edit.js';
import { pruneGraph } from '../src/graph/prune-graph.js';
import { sortNodes } from '../src/graph/sort-nodes.js';
import { floats, graph, integers, model, node, value } from './graph-builder.js';
import { anyGraph } from './graph-random.js';
import { runFloats } from './graph-run.js';

const FLOAT = TensorProto_DataType.FLOAT;

/** A random graph, and the same with one node replaced by another that reads less. */
const edited = anyGraph.chain((original) =>
  fc.nat(original.node.length - 1).map((position) => {
    const node = original.node.flatMap((item, i) => (i === position ? replacement(item) : [item]));
    return { original, changed: edit(original, { node }) };
  }),
);

function replacement(old: NodeProto): NodeProto[] {
  return old.output.map((output) => node('Neg', ['x'], [output]));
}

describe('pruneGraph', () => {
  it('changes no result, and leaves nothing that could go', async () => {
    const feeds = { x: Float32Array.of(0.5, -1, 2), y: Float32Array.of(1, 0.25, -0.75) };
    await fc.assert(
      fc.asyncProperty(edited, async ({ original, changed }) => {
        const pruned = pruneGraph(changed, original);
        expect(await runFloats(model(pruned), feeds)).toEqual(await runFloats(model(changed), feeds));
        const deadBefore = removableInTurns(original);
        expect(removable(pruned).filter((name) => !deadBefore.includes(name))).toEqual([]);
      }),
      { numRuns: 60, seed: 5 },
    );
  });

  it('returns an unedited graph as the same object, whatever is useless in it', () => {
    fc.assert(
      fc.property(anyGraph, (original) => {
        expect(pruneGraph(original, original)).toBe(original);
      }),
      { seed: 6 },
    );
  });

  const original = edit(
    graph({
      node: [
        node('Transpose', ['old'], ['old_t']),
        node('MatMul', ['x', 'old_t'], ['a']),
        node('Add', ['a', 'bias'], ['b']),
        node('Neg', ['spare'], ['dead']),
        node('Exp', ['dead'], ['dead_too']),
        node('Neg', ['old_t'], ['dead_on_old']),
        node('Neg', ['dead_on_old'], ['dead_on_dead']),
        node('Exp', ['old'], ['dead_on_weight']),
      ],
      input: [value('x', FLOAT, [1, 2]), value('unused', FLOAT, [1]), value('old', FLOAT, [2, 2])],
      output: [value('b', FLOAT, [1, 2])],
      initializer: [
        floats('old', [2, 2], [1, 2, 3, 4]),
        floats('bias', [2], [1, 1]),
        floats('spare', [1], [1]),
        floats('lone', [1], [1]),
        floats('zero', [1], [0]),
      ],
      valueInfo: [value('old_t', FLOAT), value('a', FLOAT), value('dead', FLOAT), value('never', FLOAT)],
    }),
    {
      quantizationAnnotation: [
        create(TensorAnnotationSchema, { tensorName: 'old_t' }),
        create(TensorAnnotationSchema, {
          tensorName: 'a',
          quantParameterTensorNames: [{ key: 'ZERO_POINT_TENSOR', value: 'zero' }],
        }),
      ],
    },
  );
  const changed = edit(original, {
    node: original.node.map((item) => (item.opType === 'MatMul' ? node('MatMul', ['x', 'new'], ['a']) : item)),
    initializer: [...original.initializer, floats('new', [2, 2], [1, 0, 0, 1]), integers('unread', [1], [0])],
  });
  const pruned = pruneGraph(changed, original);
  const names = (list: readonly { name: string }[]) => list.map((item) => item.name);

  it('drops what the edit left behind, also where something useless hung on it', () => {
    expect(pruned.node.flatMap((item) => item.output)).toEqual(['a', 'b', 'dead', 'dead_too']);
    expect(names(pruned.initializer)).toEqual(['bias', 'spare', 'lone', 'zero', 'new']);
    expect(names(pruned.valueInfo)).toEqual(['a', 'dead', 'never']);
    expect(pruned.quantizationAnnotation.map((item) => item.tensorName)).toEqual(['a']);
  });

  it('drops the input that declared a dropped initialiser, and no other', () => {
    expect(names(pruned.input)).toEqual(['x', 'unused']);
    const initializer = changed.initializer.filter((tensor) => tensor.name !== 'old');
    expect(names(pruneGraph(edit(changed, { initializer }), original).input)).toEqual(['x', 'unused']);
  });

  it('keeps what only a nested graph reads', () => {
    const body = graph({ node: [node('Add', ['x', 'captured'], ['inner'])], output: [value('inner')] });
    const nested = graph({
      node: [
        node('Neg', ['w'], ['captured']),
        node('If', ['yes'], ['y'], { then_branch: body, else_branch: body }),
        node('Neg', ['y'], ['z']),
      ],
      input: [value('x', FLOAT), value('yes', TensorProto_DataType.BOOL)],
      output: [value('z')],
      initializer: [floats('w', [1], [1])],
    });
    const shorter = edit(nested, { output: [value('y')] });
    expect(pruneGraph(shorter, nested).node).toEqual(nested.node.slice(0, 2));
  });
});

/** All that can go, one after the other. */
function removableInTurns(whole: GraphProto): string[] {
  const names = removable(whole);
  if (names.length === 0) return [];
  const stays = (item: { name: string }) => !names.includes(item.name);
  const rest = edit(whole, { node: whole.node.filter(stays), initializer: whole.initializer.filter(stays) });
  return [...names, ...removableInTurns(rest)];
}

/** Nodes and initialisers without which the graph is still well formed. */
function removable(whole: GraphProto): string[] {
  const holds = (smaller: GraphProto) => {
    try {
      sortNodes(smaller);
      return true;
    } catch {
      return false;
    }
  };
  const nodes = whole.node.filter((item) => holds(edit(whole, { node: whole.node.filter((other) => other !== item) })));
  const tensors = whole.initializer.filter((item) =>
    holds(edit(whole, { initializer: whole.initializer.filter((other) => other !== item) })),
  );
  return [...nodes, ...tensors].map((item) => item.name);
}
