/** An input that an adapter made up, and what it filled it with. */
interface SyntheticInput {
  readonly name: string;
  readonly dims: readonly number[];
  /** `below` bounds numbers of tokens and positions. */
  readonly values: { readonly kind: string; readonly below?: number };
}

/** What the report says of made-up inputs, one line. */
export function syntheticNotice(inputs: readonly SyntheticInput[]): string {
  const made = inputs.map(({ name, dims, values }) => `${name} [${dims.join(', ')}] ${describe(values)}`);
  return `the calibration inputs are made up: ${made.join('; ')}`;
}

function describe({ kind, below }: SyntheticInput['values']): string {
  if (kind === 'ids') return `numbers below ${below}`;
  return kind === 'positions' ? 'positions in order' : kind;
}
