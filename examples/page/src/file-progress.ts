import type { ProgressInfo } from '@huggingface/transformers';

/**
 * The library's `progress_callback` for a load.
 *
 * @param onProgress - is told the size of the model's files as far as it is known, and the share of all that is there.
 */
export function fileProgress(onProgress: (bytes: number, share: number) => void): (info: ProgressInfo) => void {
  const files = new Map<string, { readonly loaded: number; readonly total: number }>();
  const sum = (of: readonly number[]) => of.reduce((before, each) => before + each, 0);
  return (info) => {
    if (info.status !== 'progress') return;
    const { file, loaded, total } = info;
    files.set(file, { loaded, total });
    const all = [...files.values()];
    const ofModel = [...files].flatMap(([path, size]) => (/\.onnx(_data(_\d+)?)?$/.test(path) ? size.total : []));
    onProgress(sum(ofModel), sum(all.map((each) => each.loaded)) / sum(all.map((each) => each.total)));
  };
}
