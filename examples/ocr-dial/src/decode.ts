/** Turns class probabilities, `[steps, classes]` row by row, into text. */
export type Decoder = (probabilities: Float32Array) => string;

/**
 * Greedy connectionist temporal classification (Graves et al., 2006): the likeliest class of each step, repeats merged,
 * blanks dropped. Class 0 is the blank, then come the dictionary's lines and, last, the space.
 *
 * @param dictionary - text of PaddleOCR's dictionary file, one character a line.
 */
export function ctcDecoder(dictionary: string): Decoder {
  const characters = ['', ...dictionary.split(/\r?\n/).filter((line) => line !== ''), ' '];
  return (probabilities) => {
    let text = '';
    let previous = 0;
    for (let start = 0; start < probabilities.length; start += characters.length) {
      const best = indexOfLargest(probabilities.subarray(start, start + characters.length));
      if (best !== previous) text += characters[best];
      previous = best;
    }
    return text;
  };
}

function indexOfLargest(values: Float32Array): number {
  let best = 0;
  for (let at = 1; at < values.length; at++) if ((values[at] ?? 0) > (values[best] ?? 0)) best = at;
  return best;
}
