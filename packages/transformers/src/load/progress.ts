import type { LibraryOptions } from './load-options.js';

type Callback = NonNullable<LibraryOptions['progress_callback']>;

/** What is looked at of what the library tells of a load. */
interface ProgressInfo {
  readonly status?: string;
  readonly file?: string;
  /** In `progress_total` of version 4: how far each file is. */
  readonly files?: Readonly<Record<string, FileProgress>>;
}

interface FileProgress {
  readonly loaded: number;
  readonly total: number;
}

/** Tells a user's callback of the load of the original, of which `onFile` is told the files as they are read; it is not the end yet. */
export function progressOfOriginal(callback: Callback | null, onFile: (file: string) => void): Callback {
  return (info: ProgressInfo) => {
    if (info.status === 'done' && info.file !== undefined) onFile(info.file);
    if (info.status !== 'ready') callback?.(info as never);
  };
}

/**
 * Tells a user's callback of the load of the swapped files. Version 4 counts the original's too, which are not loaded then.
 *
 * @param originals - the original's model files.
 */
export function progressOfSwapped(callback: Callback, originals: readonly string[]): Callback {
  return (info: ProgressInfo) => {
    if (info.status !== 'progress_total' || info.files === undefined) return callback(info as never);
    const files = Object.fromEntries(Object.entries(info.files).filter(([file]) => !originals.includes(file)));
    const sum = (part: keyof FileProgress) => Object.values(files).reduce((total, file) => total + file[part], 0);
    const [loaded, total] = [sum('loaded'), sum('total')];
    return callback({ ...info, files, loaded, total, progress: total > 0 ? (loaded / total) * 100 : 0 } as never);
  };
}
