/**
 * An exact count as a plain number, for JSON and arithmetic with fractions.
 *
 * @throws RangeError when a number would lose digits, which is above `2^53 - 1`.
 */
export function exactNumber(count: bigint): number {
  const number = Number(count);
  if (!Number.isSafeInteger(number))
    throw new RangeError(`${count} is too large to be an exact number; keep it a BigInt`);
  return number;
}
