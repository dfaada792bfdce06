import type { Block } from './block.js';

/** Rows and columns of the tile that the inner loop keeps in registers: 16 sums are what a JavaScript engine still holds. */
const TILE = 4;

/**
 * Adds `factor * left right` to `out`: the hot product of the fit, in tiles of 4 by 4 over packed panels.
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
  const inner = left.cols;
  const leftPanel = new Float64Array(TILE * inner);
  const rightPanels = new Float64Array(Math.ceil(right.cols / TILE) * TILE * inner);
  for (let col = 0; col < right.cols; col += TILE) {
    packColumns(rightPanels, col * inner, right, col);
  }
  const tile = new Float64Array(TILE * TILE);
  for (let row = 0; row < left.rows; row += TILE) {
    packRows(leftPanel, left, row);
    const end = region === 'lower' ? Math.min(right.cols, row + TILE) : right.cols;
    for (let col = 0; col < end; col += TILE) {
      multiplyPanels(tile, leftPanel, rightPanels, col * inner, inner);
      addTile(out, row, col, tile, factor);
    }
  }
}

/** Four rows side by side, so that the inner loop reads straight ahead; missing rows read as zero. */
function packRows(panel: Float64Array, source: Block, row: number): void {
  const { data, rowStride, colStride, cols } = source;
  const count = Math.min(TILE, source.rows - row);
  if (count < TILE) panel.fill(0);
  for (let r = 0; r < count; r++) {
    let from = source.offset + (row + r) * rowStride;
    for (let k = 0, to = r; k < cols; k++, to += TILE, from += colStride) panel[to] = data[from] as number;
  }
}

/** Four columns side by side; the panels start out as zeros. */
function packColumns(panels: Float64Array, start: number, source: Block, col: number): void {
  const { data, rowStride, colStride, rows } = source;
  const count = Math.min(TILE, source.cols - col);
  for (let k = 0; k < rows; k++) {
    let from = source.offset + k * rowStride + col * colStride;
    for (let c = 0, to = start + k * TILE; c < count; c++, to++, from += colStride) panels[to] = data[from] as number;
  }
}

function multiplyPanels(
  tile: Float64Array,
  left: Float64Array,
  right: Float64Array,
  start: number,
  inner: number,
): void {
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  let s20 = 0;
  let s21 = 0;
  let s22 = 0;
  let s23 = 0;
  let s30 = 0;
  let s31 = 0;
  let s32 = 0;
  let s33 = 0;
  for (let l = 0, r = start; l < TILE * inner; l += TILE, r += TILE) {
    const r0 = right[r] as number;
    const r1 = right[r + 1] as number;
    const r2 = right[r + 2] as number;
    const r3 = right[r + 3] as number;
    let x = left[l] as number;
    s00 += x * r0;
    s01 += x * r1;
    s02 += x * r2;
    s03 += x * r3;
    x = left[l + 1] as number;
    s10 += x * r0;
    s11 += x * r1;
    s12 += x * r2;
    s13 += x * r3;
    x = left[l + 2] as number;
    s20 += x * r0;
    s21 += x * r1;
    s22 += x * r2;
    s23 += x * r3;
    x = left[l + 3] as number;
    s30 += x * r0;
    s31 += x * r1;
    s32 += x * r2;
    s33 += x * r3;
  }
  tile[0] = s00;
  tile[1] = s01;
  tile[2] = s02;
  tile[3] = s03;
  tile[4] = s10;
  tile[5] = s11;
  tile[6] = s12;
  tile[7] = s13;
  tile[8] = s20;
  tile[9] = s21;
  tile[10] = s22;
  tile[11] = s23;
  tile[12] = s30;
  tile[13] = s31;
  tile[14] = s32;
  tile[15] = s33;
}

function addTile(out: Block, row: number, col: number, tile: Float64Array, factor: number): void {
  const { data, rowStride, colStride } = out;
  const rows = Math.min(TILE, out.rows - row);
  const cols = Math.min(TILE, out.cols - col);
  let from = out.offset + row * rowStride + col * colStride;
  for (let r = 0; r < rows; r++, from += rowStride) {
    for (let c = 0, to = from, at = r * TILE; c < cols; c++, to += colStride, at++) {
      data[to] = (data[to] as number) + factor * (tile[at] as number);
    }
  }
}
