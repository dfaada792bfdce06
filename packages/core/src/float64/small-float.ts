/** A 16-bit floating-point format: sign, exponent, mantissa, with IEEE 754 rules for subnormals, infinity and NaN. */
export interface SmallFloatFormat {
  readonly exponentBits: number;
  readonly mantissaBits: number;
}

/** IEEE 754 binary16. */
export const FLOAT16: SmallFloatFormat = { exponentBits: 5, mantissaBits: 10 };
/** The upper half of binary32. */
export const BFLOAT16: SmallFloatFormat = { exponentBits: 8, mantissaBits: 7 };

/** The number that 16 bits mean; exact. */
export function fromSmallFloat(bits: number, { exponentBits, mantissaBits }: SmallFloatFormat): number {
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> mantissaBits) & (2 ** exponentBits - 1);
  const mantissa = bits & (2 ** mantissaBits - 1);
  if (exponent === 2 ** exponentBits - 1) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  // Subnormals share the exponent of the smallest normal numbers, without their hidden bit.
  const significand = exponent === 0 ? mantissa : mantissa + 2 ** mantissaBits;
  return sign * significand * 2 ** (Math.max(exponent, 1) - bias - mantissaBits);
}

const scratch = new DataView(new ArrayBuffer(8));

/**
 * The 16 bits nearest to a number: one rounding from float64, ties to even; what is too large becomes infinity, as
 * IEEE 754 has it, and every NaN the quiet one.
 */
export function toSmallFloat(value: number, { exponentBits, mantissaBits }: SmallFloatFormat): number {
  scratch.setFloat64(0, value);
  const high = scratch.getUint32(0);
  const sign = (high >>> 16) & 0x8000;
  const infinity = (2 ** exponentBits - 1) << mantissaBits;
  if (Number.isNaN(value)) return sign | infinity | (1 << (mantissaBits - 1));
  const smallest = 2 - 2 ** (exponentBits - 1);
  const exponent = Math.max(((high >>> 20) & 0x7ff) - 1023, smallest);
  // Scaling by a power of two is exact, so the only rounding is to the integer significand. A carry out of it runs
  // into the exponent field, which is just what the next binade, or infinity, looks like.
  const significand = roundHalfToEven(Math.abs(value) / 2 ** (exponent - mantissaBits));
  const bits = (exponent - smallest) * 2 ** mantissaBits + significand;
  return sign | Math.min(bits, infinity);
}

function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
