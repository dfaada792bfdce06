import { type PanelKernel, TILE } from './panel-kernel.js';

/** The kernel where there is no WebAssembly: 16 sums are what a JavaScript engine still holds in registers. */
export function javascriptKernel(): PanelKernel {
  let numbers = new Float64Array();
  return {
    memory(length) {
      if (length > numbers.length) numbers = new Float64Array(length);
      return numbers;
    },
    multiply(left, right, tiles, depth, count) {
      for (let i = 0; i < count; i++) {
        multiplyPanels(numbers, left, right + i * depth * TILE, tiles + i * TILE * TILE, left + depth * TILE);
      }
    },
  };
}

function multiplyPanels(numbers: Float64Array, left: number, right: number, tile: number, end: number): void {
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
  for (let l = left, r = right; l < end; l += TILE, r += TILE) {
    const r0 = numbers[r] as number;
    const r1 = numbers[r + 1] as number;
    const r2 = numbers[r + 2] as number;
    const r3 = numbers[r + 3] as number;
    let x = numbers[l] as number;
    s00 += x * r0;
    s01 += x * r1;
    s02 += x * r2;
    s03 += x * r3;
    x = numbers[l + 1] as number;
    s10 += x * r0;
    s11 += x * r1;
    s12 += x * r2;
    s13 += x * r3;
    x = numbers[l + 2] as number;
    s20 += x * r0;
    s21 += x * r1;
    s22 += x * r2;
    s23 += x * r3;
    x = numbers[l + 3] as number;
    s30 += x * r0;
    s31 += x * r1;
    s32 += x * r2;
    s33 += x * r3;
  }
  numbers[tile] = s00;
  numbers[tile + 1] = s01;
  numbers[tile + 2] = s02;
  numbers[tile + 3] = s03;
  numbers[tile + 4] = s10;
  numbers[tile + 5] = s11;
  numbers[tile + 6] = s12;
  numbers[tile + 7] = s13;
  numbers[tile + 8] = s20;
  numbers[tile + 9] = s21;
  numbers[tile + 10] = s22;
  numbers[tile + 11] = s23;
  numbers[tile + 12] = s30;
  numbers[tile + 13] = s31;
  numbers[tile + 14] = s32;
  numbers[tile + 15] = s33;
}
