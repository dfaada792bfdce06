import type { Embedding } from '@mhe/core';

/** One position of the dials. */
export interface Setting {
  /** Shared query-key projections, and shared value projections; the recogniser has 8 heads. */
  readonly groups: { readonly queryKey: number; readonly value: number };
  readonly embedding: Embedding;
  /** What the fit sees: drawn lines of text, or noise made up by the library. */
  readonly calibration: 'text' | 'noise';
  /** Whether its time is taken; that of all would be too long to wait for. */
  readonly timed: boolean;
  /** Whether its readings are shown. */
  readonly shown: boolean;
}

/** From the model itself (8 / 8, the identity swap) to the paper's attention (1 / 1), and where it breaks. */
export const SETTINGS: readonly Setting[] = [
  { groups: { queryKey: 8, value: 8 }, embedding: 'mul', calibration: 'text', timed: false, shown: false },
  { groups: { queryKey: 4, value: 8 }, embedding: 'mul', calibration: 'text', timed: false, shown: false },
  { groups: { queryKey: 2, value: 8 }, embedding: 'mul', calibration: 'text', timed: false, shown: false },
  { groups: { queryKey: 1, value: 8 }, embedding: 'mul', calibration: 'text', timed: true, shown: true },
  { groups: { queryKey: 1, value: 4 }, embedding: 'mul', calibration: 'text', timed: false, shown: false },
  { groups: { queryKey: 1, value: 2 }, embedding: 'mul', calibration: 'text', timed: false, shown: false },
  { groups: { queryKey: 1, value: 1 }, embedding: 'mul', calibration: 'text', timed: true, shown: true },
  { groups: { queryKey: 1, value: 1 }, embedding: 'add', calibration: 'text', timed: true, shown: true },
  { groups: { queryKey: 1, value: 1 }, embedding: 'mul', calibration: 'noise', timed: false, shown: true },
];

/** `MUL 1 / 8`, and what is unusual about it. */
export function settingName({ groups, embedding, calibration }: Setting): string {
  const dials = `${embedding.toUpperCase()} ${groups.queryKey} / ${groups.value}`;
  return calibration === 'noise' ? `${dials}, fitted on noise` : dials;
}
