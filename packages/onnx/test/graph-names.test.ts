import { create } from '@bufbuild/protobuf';
import { TensorAnnotationSchema, TensorProto_DataType } from 'onnx-buf';
import { expect, it } from 'vitest';
import { edit } from '../src/graph/edit.js';
import { freshNames } from '../src/graph/fresh-names.js';
import { floats, graph, node, value } from './graph-builder.js';

const sample = graph({
  node: [
    node('If', ['yes'], ['y'], {
      then_branch: graph({
        node: [node('Neg', ['x'], ['then_y'])],
        output: [value('then_y')],
        initializer: [floats('deep', [1], [1])],
      }),
      else_branch: graph({ node: [node('Exp', ['x'], ['else_y'])], output: [value('else_y')] }),
    }),
  ],
  input: [value('x', TensorProto_DataType.FLOAT), value('yes', TensorProto_DataType.BOOL)],
  output: [value('y')],
  initializer: [floats('w', [1], [1])],
  valueInfo: [value('ghost')],
});

it('collides with no node, value or initialiser, of nested graphs neither', () => {
  const annotated = edit(sample, { quantizationAnnotation: [create(TensorAnnotationSchema, { tensorName: 'noted' })] });
  const fresh = freshNames(annotated);
  const taken = ['y', 'x', 'yes', 'w', 'ghost', 'noted', 'node_y', 'then_y', 'node_then_y', 'deep', 'else_y'];
  for (const name of taken) expect(fresh(name)).toBe(`${name}_1`);
});

it('grants a free wish, numbers it the second time, and skips numbers that are taken', () => {
  const fresh = freshNames(edit(sample, { node: [node('Neg', ['x'], ['q_2'])] }));
  expect([fresh('q'), fresh('q'), fresh('q'), fresh('q_1'), fresh('')]).toEqual(['q', 'q_1', 'q_3', 'q_1_1', '_1']);
});
