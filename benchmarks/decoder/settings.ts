/** A swap of a decoder whose heads share keys and values in three groups. */
export interface Setting {
  readonly name: string;
  /** Of `mhe swap`. */
  readonly args: readonly string[];
}

const groups = (queryKey: number, value: number): readonly string[] => [
  ...['--query-key-groups', `${queryKey}`],
  ...['--value-groups', `${value}`],
];

/** From the mild settings to the paper's MHE. */
export const settings: readonly Setting[] = [
  { name: '3 / 2', args: groups(3, 2) },
  { name: '1 / 1, at most 5 %', args: [...groups(1, 1), '--max-fit-error', '0.05'] },
  { name: '3 / 1', args: groups(3, 1) },
  { name: '2 / 3', args: groups(2, 3) },
  { name: '1 / 1', args: groups(1, 1) },
];
