import type { Matrix } from '@mhe/core';

/** Norms of the blocks of a matrix: of so many columns each, or rows. */
export function blockNorms({ rows, cols, data }: Matrix, numHeads: number, along: 'rows' | 'cols'): number[] {
  const squares = new Array<number>(numHeads).fill(0);
  data.forEach((x, i) => {
    const at = along === 'cols' ? i % cols : Math.floor(i / cols);
    const head = Math.floor((at * numHeads) / (along === 'cols' ? cols : rows));
    squares[head] = (squares[head] as number) + x * x;
  });
  return squares.map(Math.sqrt);
}
