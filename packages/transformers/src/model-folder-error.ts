/**
 * Why a model could not be used.
 * - `unreadable`: missing, or no permission.
 * - `denied`: gated or private, or the hub does not tell whether it is there.
 * - `unreachable`: no network, or a server that does not answer.
 * - `not-a-model`: a folder without the files of a transformers.js model.
 * - `not-fp32`: a quantised or half-precision file, where the swap needs the fp32 one.
 * - `calibration`: calibration inputs that the model cannot take.
 * - `unsupported`: what this version of transformers.js has no supported place for, or cannot load.
 * - `exists`: the output is there already, or is the input.
 * - `unwritable`: the output could not be written.
 */
export type ModelProblem =
  | 'unreadable'
  | 'denied'
  | 'unreachable'
  | 'not-a-model'
  | 'not-fp32'
  | 'calibration'
  | 'unsupported'
  | 'exists'
  | 'unwritable';

/** An error about a model or one of its files, whose message is one line: the file, what is wrong, what to do. */
export class ModelFolderError extends Error {
  override readonly name = 'ModelFolderError';
  /** The folder, file or model id as the caller named it. */
  readonly file: string;
  readonly problem: ModelProblem;

  /**
   * @param file - the folder, file or model id as the caller named it.
   * @param problem - the kind of problem, for programs.
   * @param what - what is wrong, without a full stop.
   * @param remedy - what to do about it, a sentence without a full stop.
   * @param options - the error behind this one.
   */
  constructor(file: string, problem: ModelProblem, what: string, remedy: string, options?: ErrorOptions) {
    super(`${file}: ${what}. ${remedy}.`, options);
    this.file = file;
    this.problem = problem;
  }
}
