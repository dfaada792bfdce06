import type { BinaryName } from '@mhe/core';
import { alignedInputs, configOf, isPerHead, type LayerStep, type StepTranslator } from './layer-step.js';
import type { ProjectionNumbers } from './layer-weights.js';
import { activationOf, isProjection } from './projection-layers.js';

/** What a layer of each class does, in the terms of the view. A class that is not here is opaque. */
export const stepTranslators: Readonly<Record<string, StepTranslator>> = {
  Dense: projection,
  Conv1D: (step) => (isProjection(step.calls[0].layer) ? projection(step) : undefined),
  Dot: dot,
  Activation: (step) => activated(step, first(step), activationOf(step.calls[0].layer)),
  Softmax: softmax,
  ReLU: (step) => activated(step, first(step), 'relu'),
  Rescaling: rescaling,
  Add: (step) => merged(step, 'add'),
  Subtract: (step) => merged(step, 'sub'),
  Multiply: (step) => merged(step, 'mul'),
  Reshape: reshape,
  Permute: permute,
  Concatenate: concatenate,
  // Acts in training only.
  Dropout: same,
  CarryMask: same,
};

function same(step: LayerStep): string {
  return step.writer.node({ kind: 'identity' }, [first(step)]);
}

function first({ inputs }: LayerStep): string {
  return inputs[0]?.id ?? '';
}

/** Features times the layer's matrix, its bias and its activation. */
function projection(step: LayerStep): string | undefined {
  const { calls, inputs, weights, writer } = step;
  const [input] = inputs;
  const numbers = calls.map(({ layer }) => weights.projections.get(layer) as ProjectionNumbers);
  const [{ inputDim, units, bias }] = numbers as [ProjectionNumbers, ...ProjectionNumbers[]];
  if (!input || input.rank < 2) return undefined;
  const joined = (part: (layer: ProjectionNumbers) => Float64Array) => () => {
    const parts = numbers.map(part);
    const all = new Float64Array(parts.reduce((total, { length }) => total + length, 0));
    parts.reduce((at, values) => {
      all.set(values, at);
      return at + values.length;
    }, 0);
    return all;
  };
  const kernel = joined((layer) => layer.kernel);
  const biases = joined((layer) => layer.bias as Float64Array);
  let value: string;
  if (!isPerHead(step)) {
    const plain = { kind: 'matmul', transposeA: false, transposeB: false } as const;
    value = writer.node(plain, [input.id, writer.weight([inputDim, units], kernel)]);
    if (bias) value = writer.node({ kind: 'binary', name: 'add' }, [value, writer.weight([units], biases)]);
  } else {
    if (input.rank > 3) return undefined;
    const token = input.rank === 3 ? 'l' : '';
    const equation = `b${input.perHead ? 'h' : ''}${token}c,hcd->bh${token}d`;
    value = writer.node({ kind: 'einsum', equation }, [
      input.id,
      writer.weight([numbers.length, inputDim, units], kernel),
    ]);
    const biasDims = [numbers.length, ...(token ? [1] : []), units];
    if (bias) value = writer.node({ kind: 'binary', name: 'add' }, [value, writer.weight(biasDims, biases)]);
  }
  return activated(step, value, activationOf(calls[0].layer));
}

function activated({ writer }: LayerStep, value: string, name: string): string {
  if (name === 'linear') return value;
  if (name === 'softmax') return writer.node({ kind: 'softmax', axis: -1, flattened: false }, [value]);
  return writer.node({ kind: 'unary', name }, [value]);
}

function softmax(step: LayerStep): string | undefined {
  const { axis } = configOf(step);
  const axes = [axis].flat();
  if (axes.length !== 1 || typeof axes[0] !== 'number') return undefined;
  const shifted = isPerHead(step) && axes[0] > 0 ? axes[0] + 1 : axes[0];
  return step.writer.node({ kind: 'softmax', axis: shifted, flattened: false }, [first(step)]);
}

/** tfjs sums over one axis of each operand, the rows of a batch one by one (`batchDot`). */
function dot(step: LayerStep): string | undefined {
  const { axes, normalize } = configOf(step);
  const [a, b] = step.inputs;
  if (!a || !b || normalize || a.rank !== 3 || b.rank !== 3) return undefined;
  const [axisA, axisB] = (Array.isArray(axes) ? axes : [axes, axes]).map((axis) => (axis < 0 ? axis + 3 : axis));
  if (axisA === 0 || axisB === 0) return undefined;
  const operator = { kind: 'matmul', transposeA: axisA !== 2, transposeB: axisB === 2 } as const;
  return step.writer.node(operator, alignedInputs(step));
}

function rescaling(step: LayerStep): string {
  const { writer } = step;
  const { scale, offset } = configOf(step);
  const scaled = writer.node({ kind: 'binary', name: 'mul' }, [first(step), writer.number(Number(scale))]);
  return offset ? writer.node({ kind: 'binary', name: 'add' }, [scaled, writer.number(Number(offset))]) : scaled;
}

/** Operands of one rank; tfjs has rules of its own for others. */
function merged(step: LayerStep, name: BinaryName): string | undefined {
  const [head, ...rest] = alignedInputs(step);
  const { rank } = step.inputs[0] ?? {};
  if (head === undefined || step.inputs.some((input) => input.rank !== rank)) return undefined;
  return rest.reduce((value, other) => step.writer.node({ kind: 'binary', name }, [value, other]), head);
}

function reshape(step: LayerStep): string {
  const { targetShape } = configOf(step);
  const target = (targetShape as (number | null)[]).map((size) => (size === null || size < 0 ? -1 : size));
  const kept = isPerHead(step) ? [0, 0] : [0];
  const sizes = step.writer.sizes([...kept, ...target]);
  return step.writer.node({ kind: 'reshape', zeroIsSize: false }, [first(step), sizes]);
}

function permute(step: LayerStep): string {
  const { dims } = configOf(step);
  const kept = isPerHead(step) ? [0, 1] : [0];
  const permutation = [...kept, ...(dims as number[]).map((axis) => axis + kept.length - 1)];
  return step.writer.node({ kind: 'transpose', permutation }, [first(step)]);
}

function concatenate(step: LayerStep): string | undefined {
  const { axis } = configOf(step);
  if (isPerHead(step) || typeof axis !== 'number') return undefined;
  return step.writer.node({ kind: 'concat', axis }, alignedInputs(step));
}
