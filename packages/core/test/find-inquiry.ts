// One graph at given sizes, with the questions that the finder's steps ask of it.
import { evaluate, type Probe } from '../src/find/evaluate.js';
import { Inquiry } from '../src/find/inquiry.js';
import { Refusal } from '../src/find/refusal.js';
import type { GraphView } from '../src/find/view.js';

/** Sizes for open dimensions, by name. */
export type Sizes = Readonly<Record<string, number>>;

export function probeOf(view: GraphView, sizes: Sizes): Probe {
  const inputDims = view.inputs.map(
    ({ id, dims }) =>
      [id, dims.map((dim) => (typeof dim === 'string' ? (sizes[dim] as number) : (dim as number)))] as const,
  );
  return { inputDims: new Map(inputDims), sizeOf: new Map(Object.entries(sizes)), inputNumbers: new Map() };
}

export function inquiryOf(view: GraphView, sizes: Sizes): Inquiry {
  return new Inquiry(view, evaluate(view, probeOf(view, sizes)));
}

/** The reason that something is refused with. */
export function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
  throw new Error('it was not refused');
}
