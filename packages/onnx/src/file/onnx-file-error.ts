/**
 * Why a file could not be used.
 * - `unreadable`: missing, a folder, no permission, changed while in use.
 * - `not-onnx`: something else under an ONNX name, or a model of another domain.
 * - `damaged`: an ONNX model that is cut short or inconsistent.
 * - `external-data`: the data beside the model is missing, too short, or outside the model's folder.
 * - `tensor`: a tensor's sizes or type do not allow what was asked.
 * - `too-large`: more than a message, or memory, can hold.
 * - `exists`: the output is there already, or is the input.
 * - `unwritable`: the output could not be written.
 */
export type OnnxFileProblem =
  | 'unreadable'
  | 'not-onnx'
  | 'damaged'
  | 'external-data'
  | 'tensor'
  | 'too-large'
  | 'exists'
  | 'unwritable';

/** An error about one file, whose message is one line: the file, what is wrong with it, what to do. */
export class OnnxFileError extends Error {
  override readonly name = 'OnnxFileError';
  /** The file as the caller named it. */
  readonly file: string;
  readonly problem: OnnxFileProblem;

  /**
   * @param file - the file as the caller named it.
   * @param problem - the kind of problem, for programs.
   * @param what - what is wrong, without a full stop.
   * @param remedy - what to do about it, a sentence without a full stop; leave it out where nothing is sure to help.
   * @param options - the error behind this one.
   */
  constructor(file: string, problem: OnnxFileProblem, what: string, remedy?: string, options?: ErrorOptions) {
    super(`${file}: ${what}.${remedy === undefined ? '' : ` ${remedy}.`}`, options);
    this.file = file;
    this.problem = problem;
  }
}

/** A name out of a file, for a message: on one line, without control characters, not longer than a line can bear. */
export function quoted(name: string): string {
  const shown = name.length > 120 ? `${name.slice(0, 117)}...` : name;
  // JSON leaves U+007F-9F, U+2028 and U+2029 as they are, and a terminal may obey those.
  return JSON.stringify(shown).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
