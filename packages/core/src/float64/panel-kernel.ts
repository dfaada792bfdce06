/** Rows and columns of a tile: what its sums take is what registers hold. */
export const TILE = 4;

/**
 * Multiplies packed panels: the inner loop of every product of the fit. A panel is `TILE` rows of the left operand, or
 * `TILE` columns of the right one, side by side: `[depth, TILE]`.
 */
export interface PanelKernel {
  /** The numbers that `multiply` works on, at least as many as asked for. Asking for more may end what was got before. */
  memory(length: number): Float64Array;
  /**
   * The products of one left panel with `count` right panels that follow each other: tiles `[count, TILE, TILE]`.
   *
   * @param left - index of the left panel in the memory, as `right` and `tiles` are of theirs.
   * @param depth - at least 1, as `count`.
   */
  multiply(left: number, right: number, tiles: number, depth: number, count: number): void;
}
