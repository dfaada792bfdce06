import type { SwapReport } from '@mhe/core';
import { encodeModel, type OnnxFeed, type OnnxModel, swap } from '@mhe/onnx';
import * as runtime from 'onnxruntime-node';
import { INPUT_NAME, type RecogniserInput } from './input.js';
import { startBar } from './progress.js';
import { type Setting, settingName } from './settings.js';

/** The recogniser with its attention swapped at one setting of the dials. */
export interface Variant {
  readonly name: string;
  readonly setting: Setting;
  /** The ONNX file. */
  readonly file: Uint8Array;
  readonly report: SwapReport;
}

/** Swaps the recogniser's attention, fitted on these lines or, where the setting asks for it, on noise. */
export async function makeVariant(
  model: OnnxModel,
  setting: Setting,
  lines: readonly RecogniserInput[],
): Promise<Variant> {
  const { groups, embedding } = setting;
  const name = settingName(setting);
  const bar = startBar(`Swapping ${name}`, 1);
  const swapped = await swap(model, {
    groups,
    embedding,
    calibration:
      setting.calibration === 'text'
        ? lines.map((line): OnnxFeed => ({ [INPUT_NAME]: line }))
        : { synthetic: { sequences: 16, length: 320 } },
    runtime,
    onProgress: ({ done, total }) => bar.update(done, total),
  });
  bar.stop();
  return { name, setting, file: encodeModel(swapped.model), report: swapped.report };
}
