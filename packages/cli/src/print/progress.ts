import type { SwapProgress } from '@mhe/core';
import { Presets, SingleBar } from 'cli-progress';
import type { Terminal } from '../terminal.js';

/** A progress bar on stderr where that is a terminal; nothing elsewhere. */
export interface ProgressBar {
  update(progress: SwapProgress): void;
  /** Removes it from the terminal. */
  stop(): void;
}

const stages: Record<SwapProgress['stage'], string> = {
  capture: 'running the model',
  verify: 'checking the identity swap',
  fit: 'fitting',
  compare: 'comparing outputs',
};

export function startProgress({ stderr }: Terminal): ProgressBar {
  if (!stderr.isTTY) return { update() {}, stop() {} };
  const bar = new SingleBar(
    {
      stream: stderr,
      format: '{bar} {percentage} %  {stage}  {site}',
      barsize: 24,
      clearOnComplete: true,
      hideCursor: true,
      linewrap: true,
      emptyOnZero: true,
      // The command ends in order by itself when it is interrupted.
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  bar.start(1, 0, { stage: 'preparing', site: '' });
  let shown = '';
  return {
    update({ stage, site, done, total }) {
      bar.setTotal(total);
      bar.update(done, { stage: stages[stage], site });
      // The bar draws itself ten times a second; a new stage shows at once.
      if (shown !== stage + site) bar.render();
      shown = stage + site;
    },
    stop: () => bar.stop(),
  };
}
