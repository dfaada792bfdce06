import { feedOf } from '@mhe/example-sentence-encoder';
import { startBar } from '@mhe/example-terminal/progress';
import { type SwapReport, swap, type TfjsModel } from '@mhe/tfjs';
import { type Setting, settingName } from './settings.js';

/** The encoder with its attention swapped at one setting of the dials. */
export interface Variant {
  readonly name: string;
  readonly model: TfjsModel;
  readonly report: SwapReport;
}

/**
 * Swaps the encoder's attention, fitted on tokenised sentences.
 *
 * @throws Error where a block was left as it was.
 */
export async function makeVariant(
  original: TfjsModel,
  setting: Setting,
  sentences: readonly (readonly number[])[],
): Promise<Variant> {
  const { queryKey, value, embedding } = setting;
  const name = settingName(setting);
  const bar = startBar(`Swapping ${name}`, 1);
  const { model, report } = await swap(original, {
    groups: { queryKey, value },
    embedding,
    calibration: sentences.map((tokens) => ({ ...feedOf(tokens) })),
    onProgress: ({ done, total }) => bar.update(done, total),
  });
  bar.stop();
  const [left] = report.skipped;
  if (left) throw new Error(`${name}: ${left.name} was left as it was: ${left.reason}`);
  return { name, model, report };
}
