/** Whether an input of a decoder brings the keys or values of earlier positions, by the name that the library knows it by. */
export function isPast(input: string): boolean {
  return input.startsWith('past_key_values.');
}
