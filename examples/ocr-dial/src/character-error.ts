import { distance } from 'fastest-levenshtein';

/**
 * Character error rate: insertions, deletions and replacements that turn what was read into the reference, as a share
 * of the reference's characters, over all lines together. 0 is perfect; it can pass 1.
 */
export function characterError(read: readonly string[], reference: readonly string[]): number {
  let edits = 0;
  let characters = 0;
  reference.forEach((text, line) => {
    edits += distance(read[line] ?? '', text);
    characters += text.length;
  });
  return edits / characters;
}
