import type { BinaryName, ViewNode } from '@mhe/core';
import { boolAttribute, stringAttribute, typeAttribute } from '../graph-model/attributes.js';
import type { Family, Translation } from './translation.js';
import { constantNode, each, inner, same, step } from './translation.js';

const binaryNames: Readonly<Record<string, BinaryName>> = {
  Add: 'add',
  AddV2: 'add',
  Sub: 'sub',
  Mul: 'mul',
  Div: 'div',
  RealDiv: 'div',
  DivNoNan: 'div',
  Pow: 'pow',
  FloorMod: 'mod',
  Mod: 'mod',
  Minimum: 'min',
  Maximum: 'max',
  Equal: 'equal',
  Less: 'less',
  LessEqual: 'lessOrEqual',
  Greater: 'greater',
  GreaterEqual: 'greaterOrEqual',
  LogicalAnd: 'and',
  LogicalOr: 'or',
};

const unaryNames: Readonly<Record<string, string>> = {
  Abs: 'abs',
  Ceil: 'ceil',
  Exp: 'exp',
  Floor: 'floor',
  IsNan: 'isnan',
  Log: 'log',
  Neg: 'neg',
  LogicalNot: 'not',
  Reciprocal: 'reciprocal',
  Round: 'round',
  Sqrt: 'sqrt',
};

/** Same size, and a meaning that the finder does not need. */
const otherUnary = [
  ...['Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'ClipByValue', 'ComplexAbs', 'Cos', 'Cosh', 'Cumprod'],
  ...['Cumsum', 'Elu', 'Erf', 'Erfc', 'Expm1', 'Imag', 'Inv', 'IsFinite', 'IsInf', 'LeakyRelu', 'Log1p', 'LogSoftmax'],
  ...['OnesLike', 'Prelu', 'Real', 'Relu', 'Relu6', 'Rsqrt', 'Selu', 'Sigmoid', 'Sign', 'Sin', 'Sinh', 'Softplus'],
  ...['Square', 'Tan', 'Tanh', 'ZerosLike', 'LRN'],
];

/** Two operands that broadcast, and a meaning that the finder does not need. */
const otherBinary = ['Atan2', 'BitwiseAnd', 'FloorDiv', 'SquaredDifference', 'Xdivy'];

const reduceNames: Readonly<Record<string, string>> = {
  Sum: 'sum',
  Prod: 'prod',
  Min: 'min',
  Max: 'max',
  Mean: 'mean',
  All: 'all',
  Any: 'any',
  EuclideanNorm: 'euclideanNorm',
};

/** Operators on single elements, on sizes, and softmax. */
export const elementwise: Family = {
  ...each(Object.keys(binaryNames), (op) => (t) => same(t, { kind: 'binary', name: binaryNames[op] as BinaryName })),
  NotEqual: (t) => {
    const equal = inner(t, 'equal');
    return [
      step(t, { kind: 'binary', name: 'equal' }, t.inputs, equal),
      ...same(t, { kind: 'unary', name: 'not' }, [equal]),
    ];
  },
  // A sum of more than two is no addition of the view's.
  AddN: (t) => (t.inputs.length === 2 ? same(t, { kind: 'binary', name: 'add' }) : undefined),
  BiasAdd: biasAdd,
  BiasAddV1: biasAdd,
  ...each(Object.keys(unaryNames), (op) => (t) => same(t, { kind: 'unary', name: unaryNames[op] as string })),
  ...each(otherUnary, (name) => (t) => same(t, { kind: 'unary', name }, t.inputs.slice(0, 1))),
  ...each(otherBinary, (name) => (t) => {
    // The sum has the right size; the name keeps it from being taken for one.
    const sum = inner(t, 'size');
    return [step(t, { kind: 'binary', name: 'add' }, t.inputs, sum), ...same(t, { kind: 'unary', name }, [sum])];
  }),
  ...each(
    Object.keys(reduceNames),
    (op) => (t) =>
      same(t, { kind: 'reduce', name: reduceNames[op] as string, keepDims: boolAttribute(t.node, 'keep_dims') }),
  ),
  Cast: (t) => same(t, { kind: 'cast', to: castKind(typeAttribute(t.node, 'DstT')) }),
  Select: (t) => same(t, { kind: 'where' }),
  SelectV2: (t) => same(t, { kind: 'where' }),
  Softmax: (t) => same(t, { kind: 'softmax', axis: -1, flattened: false }),
  Shape: (t) => same(t, { kind: 'shape', start: 0, end: null }),
  Size: (t) => same(t, { kind: 'size' }),
  Rank: (t) => {
    const shape = inner(t, 'shape');
    return [step(t, { kind: 'shape', start: 0, end: null }, t.inputs, shape), ...same(t, { kind: 'size' }, [shape])];
  },
  Range: (t) => same(t, { kind: 'range' }),
};

function castKind(type: string | undefined): 'float' | 'integer' | 'boolean' {
  if (type === 'DT_BOOL') return 'boolean';
  return type === undefined || /FLOAT|DOUBLE|HALF/.test(type) ? 'float' : 'integer';
}

/** Along the last axis, or along the second where channels come first. */
function biasAdd(t: Translation): readonly ViewNode[] {
  const [value = '', bias = ''] = t.inputs;
  const rank = t.node.attr?.data_format ? stringAttribute(t.node, 'data_format', 'NHWC').length : 4;
  if (!stringAttribute(t.node, 'data_format', 'NHWC').startsWith('NC')) return same(t, { kind: 'binary', name: 'add' });
  const [axes, column] = [inner(t, 'axes'), inner(t, 'bias')];
  return [
    constantNode(
      t,
      axes,
      Array.from({ length: rank - 2 }, (_, axis) => axis + 1),
    ),
    step(t, { kind: 'unsqueeze' }, [bias, axes], column),
    ...same(t, { kind: 'binary', name: 'add' }, [value, column]),
  ];
}
