import type { DownloadedFolder } from '@mhe/transformers';
import type { ModelFormat } from './format.js';
import { transformersModel } from './transformers.js';

/**
 * Models of transformers.js on the hub, by their ids, which the library downloads into its own cache. A path that is there
 * is no id.
 */
export const hubFormat: ModelFormat = {
  takes: ['files', 'dtypes', 'revision', 'cacheDir'],
  recognises: ({ path, exists }) => !exists && /^[\w.-]+\/[\w.-]+$/.test(path) && !/^\.|\.(onnx|json)$/i.test(path),
  async open(id, options) {
    const { files = 'all', dtypes, revision, cacheDir, signal } = options;
    let downloaded: Promise<DownloadedFolder> | undefined;
    const download = async (onProgress?: (progress: FileProgress) => void) => {
      const { downloadFolder, ModelFolderError } = await import('@mhe/transformers');
      const library = await import('@huggingface/transformers');
      // As the hub's other tools know it: the address of another hub.
      const host = process.env.HF_ENDPOINT;
      if (host) library.env.remoteHost = `${host.replace(/\/$/, '')}/`;
      return downloadFolder(id, {
        library,
        files,
        signal,
        ...(dtypes && { dtypes }),
        ...(revision !== undefined && { revision }),
        ...(cacheDir !== undefined && { cache_dir: cacheDir }),
        ...(onProgress && { progress_callback: fileProgress(onProgress) }),
      }).catch((error) => {
        if (!(error instanceof ModelFolderError)) throw error;
        throw new Error(`${error.message} There is no file or folder of that name here either.`, { cause: error });
      });
    };
    const read = (onProgress?: (progress: FileProgress) => void) => {
      downloaded ??= download(onProgress);
      return downloaded;
    };
    const model = await transformersModel({ output: null, read: () => read() }, options);
    return { ...model, download: async (onProgress) => void (await read(onProgress)) };
  },
};

/** How far the download of one file is, in bytes. */
export interface FileProgress {
  readonly file: string;
  readonly loaded: number;
  readonly total: number;
}

/** Of what the library tells of a load, how far each file is. */
function fileProgress(onProgress: (progress: FileProgress) => void) {
  return (info: { status: string } & Partial<FileProgress>) => {
    const { status, file, loaded, total } = info;
    if (status !== 'progress' || file === undefined || loaded === undefined || total === undefined) return;
    onProgress({ file, loaded, total });
  };
}
