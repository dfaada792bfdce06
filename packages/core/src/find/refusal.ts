/** Why a softmax is not swapped: thrown inside the analysis of one softmax, listed as skipped by the finder. */
export class Refusal extends Error {
  /**
   * @param nodes - names of the nodes that the reason speaks of.
   * @param cause - `size` where a size could not be told at the sizes tried: others may do; `elsewhere` where keys and values
   *   are shared with another graph, through its caches.
   */
  constructor(
    reason: string,
    readonly nodes: readonly string[] = [],
    override readonly cause: 'size' | 'structure' | 'elsewhere' = 'structure',
  ) {
    super(reason);
    this.name = 'Refusal';
  }
}
