/** What one model makes of the sentences. */
export interface Ranking {
  /** Cosine of each sentence to the query. */
  readonly scores: readonly number[];
  /** Median time of a sentence. */
  readonly milliseconds: number;
}

/** What the models make of the sentences. */
export interface Rankings {
  readonly original: Ranking;
  /** With the mean cosine of its vectors to the original's. */
  readonly swapped: (Ranking & { readonly likeOriginal: number }) | null;
}

/** Turns a sentence into a vector of unit length. */
export type Embed<Sentence> = (sentence: Sentence) => Promise<Float32Array>;

/**
 * Ranks sentences by their nearness to a query, the models taking turns sentence by sentence. All are embedded twice, and the
 * second time counts: a model that was just loaded is slow until its programs are compiled.
 */
export async function rank<Sentence>(
  original: Embed<Sentence>,
  swapped: Embed<Sentence> | null,
  query: Sentence,
  sentences: readonly Sentence[],
): Promise<Rankings> {
  const runs = [original, ...(swapped ? [swapped] : [])].map((embed) => {
    return { embed, vectors: [] as Float32Array[], times: [] as number[] };
  });
  for (const sentence of [query, ...sentences]) for (const { embed } of runs) await embed(sentence);
  for (const sentence of [query, ...sentences]) {
    for (const { embed, vectors, times } of runs) {
      const start = performance.now();
      vectors.push(await embed(sentence));
      times.push(performance.now() - start);
    }
  }
  const rankings = runs.map(({ vectors: [asked, ...others], times }): Ranking => {
    return { scores: others.map((other) => cosine(asked as Float32Array, other)), milliseconds: median(times) };
  });
  const [first, second] = rankings as [Ranking, Ranking?];
  const [before, after] = runs.map(({ vectors }) => vectors) as [Float32Array[], Float32Array[]?];
  const likeOriginal = (after ?? []).reduce((sum, vector, i) => sum + cosine(vector, before[i]!) / before.length, 0);
  return { original: first, swapped: second ? { ...second, likeOriginal } : null };
}

/** Cosine of vectors of unit length. */
function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * (b[i] ?? Number.NaN), 0);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
