import { quoted } from '../file/onnx-file-error.js';

/**
 * That a calibration input brings earlier keys or values.
 *
 * @param where - the calibration input.
 * @param past - the model's input.
 */
export function earlierPositions(where: string, past: string): RangeError {
  const why = 'which a swap to fewer groups would have kept otherwise';
  return new RangeError(
    `${where}: ${quoted(past)} holds earlier positions, ${why}; give whole sequences and caches of length 0`,
  );
}
