import type { ByteSource } from '../graph/model.js';
import { checkRange } from './byte-source.js';
import type { NodeModules } from './node-modules.js';
import { OnnxFileError } from './onnx-file-error.js';

/** Size and time of last change: what tells that a file is still the one that was looked at. */
interface FileState {
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * A file as a source. It is opened for each read, so that a model holds no file open, and read by position, so that
 * only what is asked for is ever in memory.
 */
export class FileSource implements ByteSource {
  readonly byteLength: number;

  /**
   * @param node - Node's modules.
   * @param path - an absolute path without links.
   * @param name - what an error message calls it.
   */
  constructor(
    private readonly node: NodeModules,
    readonly path: string,
    readonly name: string,
    private readonly state: FileState = node.fs.statSync(path),
  ) {
    this.byteLength = state.size;
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this, offset, length);
    const { fs } = this.node;
    const file = fs.openSync(this.path, 'r');
    try {
      const now = fs.fstatSync(file);
      if (now.size !== this.state.size || now.mtimeMs !== this.state.mtimeMs) throw this.changed();
      const bytes = new Uint8Array(length);
      // One call reads at most 2 GB, or less where the system likes.
      for (let done = 0; done < length; ) {
        const read = fs.readSync(file, bytes, done, Math.min(length - done, 2 ** 30), offset + done);
        if (read === 0) throw this.changed();
        done += read;
      }
      return bytes;
    } finally {
      fs.closeSync(file);
    }
  }

  private changed(): OnnxFileError {
    return new OnnxFileError(this.name, 'unreadable', 'it changed while the model was in use', 'Read the model again');
  }
}
