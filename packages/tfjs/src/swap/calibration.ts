import { type SwapOptions, syntheticNotice } from '@mhe/core';
import type { Feed } from '../run/check-feed.js';
import { checkFeed } from '../run/check-feed.js';
import type { HostTensors } from '../run/host-tensor.js';
import type { ModelInput } from '../run/model-inputs.js';
import type { SyntheticFeeds } from '../run/synthetic-feeds.js';
import { syntheticFeeds } from '../run/synthetic-feeds.js';
import type { InputUse } from '../run/synthetic-values.js';

/** Calibration inputs by the names of the model's nodes. */
export interface Calibration {
  readonly feeds: readonly HostTensors[];
  readonly kind: 'given' | 'synthetic';
  readonly notices: readonly string[];
}

/**
 * The calibration inputs that a user gave, checked, or made-up ones.
 *
 * @param inputUse - finds out what the model does with an input.
 * @throws Error where one does not fit, or cannot be made up; RangeError where there is none.
 */
export async function calibrationFeeds(
  inputs: readonly ModelInput[],
  inputUse: () => (input: ModelInput) => InputUse,
  calibration: NonNullable<SwapOptions<Feed>['calibration']>,
): Promise<Calibration> {
  if ('synthetic' in calibration) {
    const { feeds, inputs: made }: SyntheticFeeds = syntheticFeeds(inputs, inputUse(), calibration.synthetic);
    return { feeds, kind: 'synthetic', notices: [syntheticNotice(made)] };
  }
  const feeds: HostTensors[] = [];
  for (const feed of calibration) feeds.push(await checkFeed(inputs, feed, `calibration input ${feeds.length + 1}`));
  if (feeds.length === 0)
    throw new RangeError('calibration: there is no input in it; give at least one, or leave it out');
  return { feeds, kind: 'given', notices: [] };
}
