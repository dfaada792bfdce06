/** Pieces of words and their log-probabilities, as the encoder's `vocab.json` holds them; the number of a piece is its place. */
export type Vocabulary = readonly (readonly [piece: string, logProbability: number])[];

/** Takes a sentence apart into the numbers of its pieces. */
export type Tokenizer = (sentence: string) => number[];

/** The first pieces stand for control symbols, which no text holds. */
const RESERVED = 6;

/** Number of the piece for characters that no other piece has, and how unlikely it is. */
const UNKNOWN = 0;
const UNKNOWN_LOG_PROBABILITY = -20;

/**
 * The tokenizer of the Universal Sentence Encoder lite (SentencePiece, unigram model): the most probable pieces, words
 * beginning with `▁`.
 */
export function unigramTokenizer(vocabulary: Vocabulary): Tokenizer {
  const pieces = new Map(vocabulary.slice(RESERVED).map(([piece, score], i) => [piece, { id: i + RESERVED, score }]));
  const longest = Math.max(...[...pieces.keys()].map((piece) => [...piece].length));
  return (sentence) => {
    const characters = [...`▁${sentence.normalize('NFKC').replaceAll(' ', '▁')}`];
    // Best way to each place in the text: its score, its last piece and where that starts.
    const best: { score: number; id: number; start: number }[] = [{ score: 0, id: UNKNOWN, start: 0 }];
    for (let end = 1; end <= characters.length; end++) {
      const candidates = Array.from({ length: Math.min(longest, end) }, (_, i) => end - 1 - i).flatMap((start) => {
        const piece = pieces.get(characters.slice(start, end).join(''));
        return piece ? [{ id: piece.id, start, score: (best[start]?.score ?? 0) + piece.score }] : [];
      });
      const unknown = { id: UNKNOWN, start: end - 1, score: (best[end - 1]?.score ?? 0) + UNKNOWN_LOG_PROBABILITY };
      best.push(candidates.reduce((a, b) => (b.score > a.score ? b : a), unknown));
    }
    const ids: number[] = [];
    for (let end = characters.length; end > 0; ) {
      const { id, start } = best[end] as (typeof best)[number];
      ids.push(id);
      end = start;
    }
    return ids.reverse();
  };
}
