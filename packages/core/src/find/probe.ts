import type { Probe } from './evaluate.js';
import { elementCount } from './layout.js';
import type { Dimension, GraphView, Operator, ViewInput } from './view.js';

/** Sizes to try for open dimensions, each twice so that what holds is not one lucky size. */
interface Guess {
  /** Whether open dimensions of the same place are one size, whatever their names. */
  readonly byPlace: boolean;
  readonly lengths: readonly [number, number];
  readonly image: number;
  /** Whether masks are as long as caches and what is new together, where their dimensions do not say so. */
  readonly joined?: boolean;
}

/** Edges of images: small ones that most graphs take, which cost least, then the common ones. */
const IMAGES = [16, 32, 224, 384, 64, 256, 336, 448, 512, 518, 128, 192, 240, 30, 8];

/** As many lengths are learnt from a graph at most. */
const MOST_LEARNT = 12;

/**
 * Pairs of probes, the likeliest first: small and coprime sizes, unlike any head count; then one size for dimensions
 * of the same place, whatever they are called; then what fixed positions, windows and strides may ask for.
 */
export function* probesOf(view: GraphView, numHeads: number | undefined): Generator<readonly [Probe, Probe]> {
  const told = numHeads === undefined ? undefined : { numHeads, inputs: headCountInputs(view) };
  const hasImages = view.inputs.some(
    (input) => isImage(input) && input.dims.slice(2).some((dim) => typeof dim !== 'number'),
  );
  const images = hasImages ? IMAGES : IMAGES.slice(0, 1);
  for (const guess of guesses(view, images)) {
    yield [probeOf(view, guess, 0, told), probeOf(view, guess, 1, told)];
  }
}

function* guesses(view: GraphView, images: readonly number[]): Generator<Guess> {
  const image = images[0] as number;
  yield { byPlace: false, lengths: [5, 7], image };
  for (const other of images) yield { byPlace: true, lengths: [5, 7], image: other };
  if (view.inputs.some(isCache)) yield { byPlace: true, lengths: [5, 7], image, joined: true };
  yield { byPlace: true, lengths: [16, 24], image };
  yield { byPlace: true, lengths: [64, 96], image };
  for (const length of learntLengths(view)) yield { byPlace: true, lengths: [length, length], image };
}

/** Whole numbers that go into reshape targets: some exporters freeze the length they were run with. */
function learntLengths(view: GraphView): number[] {
  const targets = new Set(
    view.nodes.flatMap(({ operator, inputs }) =>
      operator.kind === 'concat' ? inputs : operator.kind === 'reshape' ? inputs.slice(1) : [],
    ),
  );
  const lengths = new Set<number>();
  for (const { operator, outputs } of view.nodes) {
    if (operator.kind !== 'constant' || elementCount(operator.dims) > 8 || !targets.has(outputs[0] ?? '')) continue;
    for (const number of operator.read())
      if (Number.isInteger(number) && number > 1 && number <= 4096) lengths.add(number);
  }
  return [...lengths].slice(0, MOST_LEARNT);
}

/** Both edges are open, or neither: keys and values of a cache have as many features as they have. */
function isImage({ type, dims }: ViewInput): boolean {
  return type === 'float' && dims.length === 4 && (typeof dims[2] === 'number') === (typeof dims[3] === 'number');
}

/** Keys or values of earlier positions: heads and features are known, positions are not. */
function isCache({ type, dims }: ViewInput): boolean {
  return type === 'float' && dims.length === 4 && dims.filter((dim) => typeof dim === 'number').length === 2;
}

function isMask({ id, dims }: ViewInput): boolean {
  return dims.length === 2 && /mask/i.test(id);
}

function isBatchName(dim: Dimension): boolean {
  return typeof dim === 'string' && /batch/i.test(dim);
}

/** Some exporters name a size by the sizes that it is the sum of: `past_sequence_length + sequence_length`. */
function isSum(dim: Dimension): boolean {
  return typeof dim === 'string' && dim.includes(' + ');
}

function sumOf(dim: Dimension, sizeOf: ReadonlyMap<string, number>): number | undefined {
  const parts = String(dim)
    .split(' + ')
    .map((part) => sizeOf.get(part) ?? Number.parseInt(part, 10));
  const sum = parts.reduce((total, part) => total + part, 0);
  return Number.isNaN(sum) ? undefined : sum;
}

/** A head count that the caller gives, and the inputs that take it. */
interface ToldHeads {
  readonly numHeads: number;
  readonly inputs: ReadonlySet<string>;
}

function probeOf(view: GraphView, guess: Guess, which: 0 | 1, told: ToldHeads | undefined): Probe {
  const sizeOf = new Map<string, number>();
  const inputDims = new Map<string, readonly number[]>();
  const inputNumbers = new Map<string, Float64Array>();
  const named = view.inputs.some(({ dims }) => dims.some(isBatchName));
  const open = (input: ViewInput, axis: number): number => {
    const isBatch = named ? isBatchName(input.dims[axis] ?? null) : axis === 0 && input.dims.length > 1;
    if (isBatch) return 2 + which;
    if (isImage(input)) return axis === 1 ? 3 : guess.image;
    if (guess.joined && axis === 1 && isMask(input)) return 2 * guess.lengths[which];
    return guess.lengths[which] + (guess.byPlace ? 0 : 6 * sizeOf.size);
  };
  const inputs = [...view.inputs].sort((a, b) => Number(a.dims.some(isSum)) - Number(b.dims.some(isSum)));
  for (const input of inputs) {
    const dims = input.dims.map((dim, axis) => {
      if (typeof dim === 'number') return dim;
      const sum = isSum(dim) ? sumOf(dim, sizeOf) : undefined;
      if (sum !== undefined) {
        sizeOf.set(dim as string, sum);
        return sum;
      }
      if (dim === null || guess.byPlace) {
        const size = open(input, axis);
        if (dim !== null && !sizeOf.has(dim)) sizeOf.set(dim, size);
        return size;
      }
      const known = sizeOf.get(dim) ?? open(input, axis);
      sizeOf.set(dim, known);
      return known;
    });
    inputDims.set(input.id, dims);
    if (told?.inputs.has(input.id) && elementCount(dims) === 1) {
      inputNumbers.set(input.id, Float64Array.of(told.numHeads));
    }
  }
  return { sizeOf, inputDims, inputNumbers };
}

/** Inputs of one whole number that go into the target of a reshape, as a head count does. */
export function headCountInputs(view: GraphView): ReadonlySet<string> {
  const single = view.inputs.filter(({ type, dims }) => type === 'integer' && dims.every((dim) => dim === 1));
  return new Set(single.map(({ id }) => id).filter((id) => reachesTarget(view, id)));
}

/** Operators that make sizes of sizes. */
const SIZE_STEPS: ReadonlySet<Operator['kind']> = new Set([
  ...(['binary', 'cast', 'concat', 'expand', 'gather', 'identity', 'reshape', 'slice', 'squeeze'] as const),
  ...(['unsqueeze', 'where'] as const),
]);

function reachesTarget(view: GraphView, input: string): boolean {
  const reached = new Set([input]);
  for (const { operator, inputs, outputs } of view.nodes) {
    const places = inputs.flatMap((id, place) => (reached.has(id) ? [place] : []));
    if (places.length === 0) continue;
    if (operator.kind === 'reshape' && places.some((place) => place > 0)) return true;
    // What picks rows of a table is a token or a position.
    const isSize = SIZE_STEPS.has(operator.kind) && (operator.kind !== 'gather' || places[0] === 0);
    if (isSize) for (const output of outputs) reached.add(output);
  }
  return false;
}
