import type { OnnxSwapOptions, SyntheticCalibration } from '@mhe/onnx';
import type { CalibrationInput } from './calibration/calibration-input.js';

/** Options of a swap: those of `@mhe/onnx`, with calibration as people write it instead of tensors. */
export interface MheOptions extends Omit<OnnxSwapOptions, 'calibration'> {
  /**
   * Inputs to fit on, in the model's own terms: texts, images, sound. They go through the model's tokenizer or processor. A
   * few hundred of the kind that the model is used on give the better fit by far. Default: made-up ones, and the report
   * says so. A file uses the inputs that have all that it reads.
   */
  readonly calibration?: Iterable<CalibrationInput> | SyntheticCalibration;
}
