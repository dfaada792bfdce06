import { type Block, transposed } from './block.js';
import { TILE } from './panel-kernel.js';
import { panelKernel } from './panel-kernel-choice.js';

/** Steps of a sum taken at a time, so that two panels fit the fastest cache. */
const DEPTH = 512;
/** Columns packed at a time, so that all their panels fit the next one. */
const WIDTH = 128;

/**
 * Adds `factor * left right` to `out`: the hot product of the fit, in tiles over packed panels.
 *
 * @param out - `[left.rows, right.cols]`; must not overlap the operands.
 * @param region - `lower` leaves out the tiles wholly above the diagonal, for symmetric results.
 */
export function accumulateProduct(
  out: Block,
  left: Block,
  right: Block,
  factor: 1 | -1 = 1,
  region: 'all' | 'lower' = 'all',
): void {
  const columns = transposed(right);
  for (let step = 0; step < left.cols; step += DEPTH) {
    const depth = Math.min(DEPTH, left.cols - step);
    for (let col = 0; col < right.cols; col += WIDTH) {
      accumulateStrip(out, left, columns, { step, depth, col, factor, region });
    }
  }
}

/** Which products are to be added: those of `depth` steps from `step`, in `WIDTH` columns from `col`. */
interface Strip {
  readonly step: number;
  readonly depth: number;
  readonly col: number;
  readonly factor: 1 | -1;
  readonly region: 'all' | 'lower';
}

function accumulateStrip(out: Block, left: Block, columns: Block, { step, depth, col, factor, region }: Strip): void {
  const kernel = panelKernel();
  const panel = TILE * depth;
  const width = Math.min(WIDTH, columns.rows - col);
  const panels = Math.ceil(width / TILE);
  const rightAt = panel;
  const tilesAt = rightAt + panels * panel;
  const numbers = kernel.memory(tilesAt + panels * TILE * TILE);
  for (let i = 0; i < panels; i++) pack(numbers, rightAt + i * panel, columns, col + i * TILE, step, depth);
  for (let row = region === 'lower' ? col : 0; row < left.rows; row += TILE) {
    const count = region === 'lower' ? Math.min(panels, (row - col) / TILE + 1) : panels;
    pack(numbers, 0, left, row, step, depth);
    kernel.multiply(0, rightAt, tilesAt, depth, count);
    for (let i = 0; i < count; i++) addTile(out, row, col + i * TILE, numbers, tilesAt + i * TILE * TILE, factor);
  }
}

/** A panel: four rows side by side, so that the inner loop reads straight ahead; missing rows read as zero. */
function pack(numbers: Float64Array, start: number, source: Block, row: number, step: number, depth: number): void {
  const { data, rowStride, colStride } = source;
  const end = start + depth * TILE;
  let from = source.offset + row * rowStride + step * colStride;
  if (row + TILE <= source.rows) {
    for (let to = start; to < end; to += TILE, from += colStride) {
      numbers[to] = data[from] as number;
      numbers[to + 1] = data[from + rowStride] as number;
      numbers[to + 2] = data[from + 2 * rowStride] as number;
      numbers[to + 3] = data[from + 3 * rowStride] as number;
    }
    return;
  }
  numbers.fill(0, start, end);
  for (let r = row, first = start; r < source.rows; r++, first++, from += rowStride) {
    for (let to = first, at = from; to < end; to += TILE, at += colStride) numbers[to] = data[at] as number;
  }
}

function addTile(out: Block, row: number, col: number, numbers: Float64Array, tile: number, factor: number): void {
  const { data, rowStride, colStride } = out;
  const rows = Math.min(TILE, out.rows - row);
  const cols = Math.min(TILE, out.cols - col);
  let from = out.offset + row * rowStride + col * colStride;
  for (let r = 0; r < rows; r++, from += rowStride) {
    for (let c = 0, to = from, at = tile + r * TILE; c < cols; c++, to += colStride, at++) {
      data[to] = (data[to] as number) + factor * (numbers[at] as number);
    }
  }
}
