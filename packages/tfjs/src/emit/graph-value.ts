/** A size: a number, or a name for one that only a run tells. */
export type Size = number | string;

/** The sizes whose product a physical axis has. */
export type Axis = readonly Size[];

/**
 * A value of the graph as the forms see it. Reshaping moves nothing, so it adds no node: the value keeps the axes that
 * its node gives it, and is only brought to others where an operation needs them.
 */
export interface GraphValue {
  readonly name: string;
  /** Sizes that the forms see. */
  readonly dims: readonly Size[];
  /** The axes that the node really makes, `null` where they fit none of these sizes. The elements' order is the same. */
  readonly axes: readonly Axis[] | null;
}

/** Every size an axis of its own. */
export function apart(dims: readonly Size[]): Axis[] {
  return dims.map((size) => [size]);
}

/** The sizes of an axis multiplied, as far as they are known: a number, and names in order. */
export function axisSize(axis: Axis): { readonly known: number; readonly open: readonly string[] } {
  let known = 1;
  const open: string[] = [];
  for (const size of axis) {
    if (typeof size === 'number') known *= size;
    else open.push(size);
  }
  return { known, open };
}

/** Whether two lists of axes have the same sizes. */
export function sameAxes(a: readonly Axis[] | null, b: readonly Axis[]): boolean {
  const key = (axes: readonly Axis[]) =>
    JSON.stringify(
      axes.map((axis) => {
        const { known, open } = axisSize(axis);
        return [known, ...open];
      }),
    );
  return a !== null && key(a) === key(b);
}

/** Whether two lists of sizes are the same. */
export function sameDims(a: readonly Size[], b: readonly Size[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
