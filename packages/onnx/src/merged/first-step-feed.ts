import { quoted } from '../file/onnx-file-error.js';
import { graphCaptures } from '../graph/captures.js';
import { checkFeed } from '../run/check-feed.js';
import type { HostTensors } from '../run/host-tensor.js';
import { earlierPositions } from '../swap/earlier-positions.js';
import type { MergedDecoder } from './merged-decoder.js';

/**
 * Checks calibration inputs of a merged decoder, which are first steps: whole sequences, no caches. What the first branch
 * does not read may be left out, and has to be empty where it is given.
 */
export function firstStepFeed({ first, pasts, condition }: MergedDecoder): typeof checkFeed {
  const needed = new Set(graphCaptures(first.graph));
  return (inputs, feed, where, mayBeEmpty): HostTensors => {
    const asked = inputs.filter(({ name }) => needed.has(name) || Object.hasOwn(feed, name));
    const checked = checkFeed(asked, feed, where, mayBeEmpty);
    for (const past of pasts) {
      if ((checked[past]?.data.length ?? 0) === 0) continue;
      throw earlierPositions(where, past);
    }
    const decides = checked[condition.input]?.data[0];
    if (decides !== undefined && Boolean(decides) !== condition.first) {
      throw new RangeError(
        `${where}: ${quoted(condition.input)} asks for the branch that goes on from caches; give whole sequences, with ${condition.first}, or leave it out`,
      );
    }
    return checked;
  };
}
