/** A reproducible source of random numbers. */
export interface SeededRandom {
  /** Uniform in `[0, 1)`, with 53 random bits. */
  uniform(): number;
  /** Standard normal deviate: mean 0, variance 1. */
  normal(): number;
  /** A whole number from 0 to `below - 1`, each as likely as the others. `below` is at most `2^53`. */
  integer(below: number): number;
}

/**
 * The generator sfc32 of Chris Doty-Humphrey (PractRand): 128 bits of state, period at least `2^32`. The same seed
 * gives the same numbers on every machine. Not for cryptography.
 *
 * @param seed - any whole number; its low 32 bits count.
 */
export function seededRandom(seed: number): SeededRandom {
  let a = 0;
  let b = 0;
  let c = seed | 0;
  let counter = 1;

  function bits32(): number {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  // A warm-up, so that near seeds give unrelated streams.
  for (let round = 0; round < 15; round++) bits32();

  function uniform(): number {
    return ((bits32() >>> 5) * 2 ** 26 + (bits32() >>> 6)) / 2 ** 53;
  }

  return {
    uniform,
    normal() {
      // Box and Muller (1958); 1 - u keeps the logarithm finite.
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      return radius * Math.cos(2 * Math.PI * uniform());
    },
    integer(below) {
      return Math.floor(uniform() * below);
    },
  };
}
