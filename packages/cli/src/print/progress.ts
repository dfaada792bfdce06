import type { SwapProgress } from '@mhe/core';
import { Presets, SingleBar } from 'cli-progress';
import type { OpenModel } from '../format/format.js';
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

export function startProgress(terminal: Terminal): ProgressBar {
  const bar = newBar(terminal, '{bar} {percentage} %  {stage}  {site}');
  if (bar === null) return { update() {}, stop() {} };
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

/** Brings a model to this machine where it is not here yet, with a progress bar. */
export async function download(model: OpenModel, terminal: Terminal): Promise<void> {
  if (model.download === undefined) return;
  const bar = newBar(terminal, '{bar} {percentage} %  downloading {file}');
  bar?.start(1, 0, { file: '' });
  const files = new Map<string, { loaded: number; total: number }>();
  try {
    await model.download(({ file, loaded, total }) => {
      files.set(file, { loaded, total });
      const sum = (part: 'loaded' | 'total') => [...files.values()].reduce((all, each) => all + each[part], 0);
      bar?.setTotal(Math.max(sum('total'), 1));
      bar?.update(sum('loaded'), { file });
    });
  } finally {
    bar?.stop();
  }
}

/** A bar on stderr where that is a terminal; `null` elsewhere. */
function newBar({ stderr }: Terminal, format: string): SingleBar | null {
  if (!stderr.isTTY) return null;
  return new SingleBar(
    {
      stream: stderr,
      format,
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
}
