import type { BinaryName, Operator, ViewNode } from '@mhe/core';
import { TensorProto_DataType } from 'onnx-buf';
import { decodeFloat, isFloatDtype } from '../tensor/decode-float.js';
import { decodeInt } from '../tensor/decode-int.js';
import { dtypeOf } from '../tensor/dtype.js';
import { attribute, floatAttribute, intAttribute, intsAttribute } from './attributes.js';
import type { Family, Translation, Translator } from './translation.js';
import { inner, same, withList } from './translation.js';

const binaryNames: Readonly<Record<string, BinaryName>> = {
  Add: 'add',
  Sub: 'sub',
  Mul: 'mul',
  Div: 'div',
  Pow: 'pow',
  Mod: 'mod',
  Equal: 'equal',
  Less: 'less',
  LessOrEqual: 'lessOrEqual',
  Greater: 'greater',
  GreaterOrEqual: 'greaterOrEqual',
  And: 'and',
  Or: 'or',
  Xor: 'xor',
};

/** Of two inputs they are binary; of more the view has no meaning for them. */
const variadicNames: Readonly<Record<string, BinaryName>> = { Min: 'min', Max: 'max', Sum: 'add' };

const unaryNames: Readonly<Record<string, string>> = {
  Abs: 'abs',
  Ceil: 'ceil',
  Exp: 'exp',
  Floor: 'floor',
  IsNaN: 'isnan',
  Log: 'log',
  Neg: 'neg',
  Not: 'not',
  Reciprocal: 'reciprocal',
  Round: 'round',
  Sqrt: 'sqrt',
};

/** Same size, and a meaning that the finder does not need. */
const otherUnary = [
  ...['Acos', 'Asin', 'Atan', 'Celu', 'Clip', 'Cos', 'Cosh', 'Elu', 'Erf', 'Gelu', 'HardSigmoid', 'HardSwish', 'IsInf'],
  ...['LeakyRelu', 'LogSoftmax', 'Mish', 'PRelu', 'Relu', 'Selu', 'Sigmoid', 'Sign', 'Sin', 'Sinh', 'Softplus'],
  ...['Softsign', 'Swish', 'Tan', 'Tanh', 'ThresholdedRelu'],
];

const reduceNames = ['Sum', 'Prod', 'Min', 'Max', 'Mean', 'L1', 'L2', 'LogSum', 'LogSumExp', 'SumSquare'];

const castKinds: ReadonlyMap<number, 'float' | 'boolean'> = new Map([
  [TensorProto_DataType.FLOAT, 'float'],
  [TensorProto_DataType.FLOAT16, 'float'],
  [TensorProto_DataType.BFLOAT16, 'float'],
  [TensorProto_DataType.DOUBLE, 'float'],
  [TensorProto_DataType.BOOL, 'boolean'],
]);

function each(names: Iterable<string>, translator: (name: string) => Translator): Family {
  return Object.fromEntries([...names].map((name) => [name, translator(name)]));
}

/** Operators on single elements, on sizes, and softmax. */
export const elementwise: Family = {
  ...each(Object.keys(binaryNames), (op) => (t) => same(t, { kind: 'binary', name: binaryNames[op] as BinaryName })),
  ...each(Object.keys(variadicNames), (op) => (t) => {
    if (t.node.input.length === 1) return same(t, { kind: 'identity' });
    const name = variadicNames[op] as BinaryName;
    return t.node.input.length === 2 ? same(t, { kind: 'binary', name }) : undefined;
  }),
  ...each(Object.keys(unaryNames), (op) => (t) => same(t, { kind: 'unary', name: unaryNames[op] as string })),
  ...each(otherUnary, (name) => (t) => same(t, { kind: 'unary', name })),
  ...each(
    reduceNames.map((name) => `Reduce${name}`),
    (op) => (t) => {
      const keepDims = intAttribute(t.node, 'keepdims', 1) === 1;
      if (intAttribute(t.node, 'noop_with_empty_axes', 0) === 1 && !t.node.input[1])
        return same(t, { kind: 'identity' });
      return withList(t, { kind: 'reduce', name: op.slice(6).toLowerCase(), keepDims }, intsAttribute(t.node, 'axes'));
    },
  ),
  Cast: (t) => same(t, { kind: 'cast', to: castKinds.get(intAttribute(t.node, 'to', 0)) ?? 'integer' }),
  CastLike: (t) => same(t, { kind: 'unary', name: 'CastLike' }, [t.node.input[0] ?? '']),
  Where: (t) => same(t, { kind: 'where' }),
  // Before opset 13 softmax ran over all axes from its own on, by default from the second.
  Softmax: (t) =>
    same(t, { kind: 'softmax', axis: intAttribute(t.node, 'axis', t.opset < 13 ? 1 : -1), flattened: t.opset < 13 }),
  LayerNormalization: (t) => normalisation(t, true, 1e-5),
  RMSNormalization: (t) => normalisation(t, false, 1e-5),
  SimplifiedLayerNormalization: (t) => normalisation(t, false, 1e-5),
  Shape: (t) =>
    same(t, {
      kind: 'shape',
      start: intAttribute(t.node, 'start', 0),
      end: intAttribute(t.node, 'end', undefined) ?? null,
    }),
  Size: (t) => same(t, { kind: 'size' }),
  Range: (t) => same(t, { kind: 'range' }),
  ConstantOfShape: (t) => {
    const tensor = attribute(t.node, 'value')?.t;
    if (!tensor) return same(t, { kind: 'fill', value: 0 });
    const holder = { name: t.source, externalData: new Map() };
    const value = isFloatDtype(dtypeOf(tensor)) ? decodeFloat(tensor, holder)[0] : Number(decodeInt(tensor, holder)[0]);
    return same(t, { kind: 'fill', value: value ?? 0 });
  },
};

/** What is normalised, then its weights. */
function normalisation(t: Translation, centred: boolean, usual: number): readonly ViewNode[] | undefined {
  const { node, source } = t;
  const [data = '', scale = '', bias = ''] = node.input;
  // Its mean and deviation are no part of the view.
  if (node.output.slice(1).some((output) => output !== '')) return undefined;
  const [normed, scaled] = [inner(t, 'normalised'), inner(t, 'scaled')];
  const operator: Operator = {
    kind: 'normalise',
    axis: intAttribute(node, 'axis', -1),
    epsilon: floatAttribute(node, 'epsilon', usual),
    centred,
  };
  const weighted = (name: BinaryName, inputs: readonly string[], outputs: readonly string[]): ViewNode => ({
    operator: { kind: 'binary', name },
    inputs,
    outputs,
    source,
  });
  return [
    { operator, inputs: [data], outputs: [normed], source },
    weighted('mul', [normed, scale], bias ? [scaled] : node.output),
    ...(bias ? [weighted('add', [scaled, bias], node.output)] : []),
  ];
}
