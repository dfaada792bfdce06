/** A form of attention was asked for what it cannot express. The message names the form and the reason. */
export class FormError extends Error {
  override readonly name = 'FormError';

  /**
   * @param form - the form, as the user knows it: `factorised`, `MHE-ADD`.
   * @param reason - what it cannot express, as a clause.
   */
  constructor(
    readonly form: string,
    readonly reason: string,
  ) {
    super(`${form}: ${reason}`);
  }
}
