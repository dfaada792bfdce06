import type { AttentionSite, SwapReport } from '@mhe/core';
import { startBar } from '@mhe/example-terminal/progress';
import { encodeModel, type Feed, type OnnxModel, swap } from '@mhe/onnx';
import * as runtime from 'onnxruntime-node';
import { INPUT_NAME, type RecogniserInput } from './input.js';
import { type Setting, settingName } from './settings.js';

/** The recogniser with its attention swapped at one setting of the dials. */
export interface Variant {
  readonly name: string;
  readonly setting: Setting;
  /** The ONNX file. */
  readonly file: Uint8Array;
  readonly report: SwapReport;
}

/**
 * Swaps the recogniser's attention, fitted on the first of these lines or, where the setting asks for it, on noise.
 *
 * @throws Error where a block was left as it was.
 */
export async function makeVariant(
  model: OnnxModel,
  blocks: readonly AttentionSite[],
  setting: Setting,
  lines: readonly RecogniserInput[],
): Promise<Variant> {
  const { groups, embedding, calibration } = setting;
  const name = settingName(setting);
  const bar = startBar(`Swapping ${name}`, 1);
  const swapped = await swap(model, {
    groups,
    embedding,
    calibration:
      calibration === 'noise'
        ? { synthetic: { length: 320 } }
        : lines.slice(0, calibration).map((line): Feed => ({ [INPUT_NAME]: line })),
    runtime,
    onProgress: ({ done, total }) => bar.update(done, total),
  });
  bar.stop();
  const left = swapped.report.skipped.find((skipped) => blocks.some((block) => block.name === skipped.name));
  if (left) throw new Error(`${name}: ${left.name} was left as it was: ${left.reason}`);
  const { bytes } = encodeModel(swapped.model, { externalData: 'never' });
  return { name, setting, file: bytes, report: swapped.report };
}
