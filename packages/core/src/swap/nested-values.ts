/**
 * Values nested as JSON nests them, the innermost lists possibly typed arrays: `[[1, 2], [3, 4]]` has the dimensions
 * 2 and 2.
 */
export type NestedValues = number | bigint | boolean | string | readonly NestedValues[] | NumberArray;

/** A flat array of numbers. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** More axes than any model's input has; a deeper nesting is a mistake, or meant to exhaust the stack. */
const MAX_AXES = 16;

/** Values row-major, with their dimensions. */
export interface FlatValues {
  readonly dims: readonly number[];
  readonly data: readonly (number | bigint | boolean | string)[];
}

/**
 * Lays nested values out flat.
 *
 * @throws Error, to be said of an input, where they are nested too deep, ragged, or something else altogether.
 */
export function flattenNested(values: NestedValues): FlatValues {
  const dims = dimsOf(values, 0);
  const data: (number | bigint | boolean | string)[] = [];
  append(values, dims, 0, data);
  return { dims, data };
}

/** The dimensions along the first items. */
function dimsOf(values: NestedValues, depth: number): number[] {
  if (!isList(values)) return [];
  if (depth === MAX_AXES) throw new Error(`is nested more than ${MAX_AXES} deep`);
  const first = values[0];
  return [values.length, ...(first === undefined ? [] : dimsOf(first, depth + 1))];
}

function append(values: NestedValues, dims: readonly number[], axis: number, data: FlatValues['data'][number][]): void {
  if (!isList(values)) {
    if (axis < dims.length) throw new Error(`is ragged: a value stands where a list of ${dims[axis]} is expected`);
    if (typeof values === 'object') throw new Error(`holds ${values === null ? 'null' : 'an object'} for a value`);
    data.push(values);
    return;
  }
  if (axis === dims.length) throw new Error('is ragged: a list stands where a value is expected');
  if (values.length !== dims[axis]) {
    throw new Error(`is ragged: lists of ${dims[axis]} and of ${values.length} stand side by side`);
  }
  for (const value of values as readonly NestedValues[]) append(value, dims, axis + 1, data);
}

function isList(values: NestedValues): values is readonly NestedValues[] | NumberArray {
  return Array.isArray(values) || (ArrayBuffer.isView(values) && !(values instanceof DataView));
}
