import type { Embedding } from '@mhe/core';

/** One position of the dials. */
export interface Setting {
  /** Shared query-key projections, and shared value projections; the recogniser has 8 heads. */
  readonly groups: { readonly queryKey: number; readonly value: number };
  readonly embedding: Embedding;
  /** What the fit sees: so many drawn lines of text, or noise made up by the library. */
  readonly calibration: number | 'noise';
  /** What is unusual about it. */
  readonly note?: string;
  /** Whether its time is taken; that of all would be too long to wait for. */
  readonly isTimed?: boolean;
}

/** Drawn lines for a fit. */
export const CALIBRATION_LINES = 100;

const usual = { embedding: 'mul', calibration: CALIBRATION_LINES } as const;

/** From the model itself to the paper's attention, then where it breaks. */
export const SETTINGS: readonly Setting[] = [
  { ...usual, groups: { queryKey: 8, value: 8 }, calibration: 8, note: 'identity' },
  { ...usual, groups: { queryKey: 1, value: 8 }, isTimed: true },
  { ...usual, groups: { queryKey: 1, value: 4 } },
  { ...usual, groups: { queryKey: 1, value: 1 }, isTimed: true },
  { ...usual, groups: { queryKey: 1, value: 1 }, embedding: 'add', isTimed: true },
  { ...usual, groups: { queryKey: 1, value: 1 }, calibration: 10, note: 'fitted on 10 lines' },
  { ...usual, groups: { queryKey: 1, value: 1 }, calibration: 1, note: 'fitted on 1 line' },
  { ...usual, groups: { queryKey: 1, value: 1 }, calibration: 'noise', note: 'fitted on noise', embedding: 'add' },
];

/** `MUL 1 / 8`, and what is unusual about it. */
export function settingName({ groups, embedding, note }: Setting): string {
  const dials = `${embedding.toUpperCase()} ${groups.queryKey} / ${groups.value}`;
  return note ? `${dials}, ${note}` : dials;
}
