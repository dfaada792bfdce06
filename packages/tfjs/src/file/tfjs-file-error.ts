/**
 * Why a file could not be used.
 * - `unreadable`: missing, a folder, no permission, changed while in use.
 * - `not-tfjs`: something else under the name of a model.
 * - `damaged`: a model that is cut short or inconsistent.
 * - `weights`: the weights beside the model are missing, of another length, or outside the model's folder.
 * - `exists`: the output is there already, or is the input.
 * - `unwritable`: the output could not be written.
 */
export type TfjsFileProblem = 'unreadable' | 'not-tfjs' | 'damaged' | 'weights' | 'exists' | 'unwritable';

/** An error about one file, whose message is one line: the file, what is wrong with it, what to do. */
export class TfjsFileError extends Error {
  override readonly name = 'TfjsFileError';
  /** The file as the caller named it. */
  readonly file: string;
  readonly problem: TfjsFileProblem;

  /**
   * @param file - the file as the caller named it.
   * @param problem - the kind of problem, for programs.
   * @param what - what is wrong, without a full stop.
   * @param remedy - what to do about it, a sentence without a full stop; leave it out where nothing is sure to help.
   * @param options - the error behind this one.
   */
  constructor(file: string, problem: TfjsFileProblem, what: string, remedy?: string, options?: ErrorOptions) {
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
