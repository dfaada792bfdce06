/**
 * Refuses names that no option has: JavaScript callers have no types.
 *
 * @param names - all that there are.
 * @throws RangeError naming the option and what there is.
 */
export function checkOptionNames(options: object, names: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new RangeError(`${unknown}: there is no such option; there are ${names.join(', ')}`);
}
