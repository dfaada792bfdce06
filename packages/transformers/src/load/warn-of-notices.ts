import type { LoadReport } from './load-options.js';

/**
 * Tells the console what nobody asked a report for: notices (made-up calibration inputs, say) and attention that was left
 * alone. Once, when the model is swapped.
 */
export function warnOfNotices(id: string, { files, fromCache }: LoadReport): void {
  if (fromCache) return;
  for (const [path, { notices, skipped }] of Object.entries(files)) {
    const left = skipped.map(({ name, reason }) => `${name} is left alone: ${reason}`);
    for (const line of [...notices, ...left]) console.warn(`[mhe] ${id}, ${path}: ${line}`);
  }
}
