import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { type GraphProto, type NodeProto, TensorProto_DataType, TensorProtoSchema } from 'onnx-buf';
import { floats, graph, node, value } from './graph-builder.js';

const FLOAT = TensorProto_DataType.FLOAT;
const KINDS = ['Tanh', 'Neg', 'Add', 'Mul', 'Constant', 'If'] as const;

/**
 * Sorted graphs of up to 24 nodes over vectors of three numbers: inputs `x` and `y`, initialisers, Constant nodes,
 * nodes that nothing reads, and If nodes with two outputs whose branches capture what is around them.
 */
export const anyGraph: fc.Arbitrary<GraphProto> = fc
  .array(fc.tuple(fc.constantFrom(...KINDS), fc.nat(), fc.nat(), fc.boolean()), { minLength: 1, maxLength: 24 })
  .map((steps) => {
    const values = ['x', 'y', 'w', 'v'];
    const outputs: string[] = [];
    const nodes = steps.map(([kind, first, second, isOutput], i) => {
      const a = values[first % values.length] as string;
      const b = values[second % values.length] as string;
      const made = makeNode(kind, a, b, i);
      values.push(...made.output);
      if (isOutput || i === steps.length - 1) outputs.push(made.output[0] as string);
      return made;
    });
    const condition = create(TensorProtoSchema, { name: 'yes', dataType: TensorProto_DataType.BOOL, int32Data: [1] });
    return graph({
      node: nodes,
      input: [value('x', FLOAT, [3]), value('y', FLOAT, [3])],
      output: outputs.map((name) => value(name, FLOAT, [3])),
      initializer: [condition, floats('w', [3], [0.5, -0.25, 1]), floats('v', [3], [-1, 0.75, 0.125])],
    });
  });

function makeNode(kind: (typeof KINDS)[number], a: string, b: string, i: number): NodeProto {
  if (kind === 'Tanh' || kind === 'Neg') return node(kind, [a], [`t${i}`]);
  if (kind === 'Add' || kind === 'Mul') return node(kind, [a, b], [`t${i}`]);
  if (kind === 'Constant') return node(kind, [], [`t${i}`], { value: floats('', [3], [i, 0.5, -0.5]) });
  const branch = (name: string) =>
    graph({
      node: [node('Add', [a, b], [`${name}_s${i}`]), node('Sub', [a, b], [`${name}_d${i}`])],
      output: [value(`${name}_s${i}`), value(`${name}_d${i}`)],
    });
  return node('If', ['yes'], [`t${i}`, `u${i}`], { then_branch: branch('then'), else_branch: branch('else') });
}
