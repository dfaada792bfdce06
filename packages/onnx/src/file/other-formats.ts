/** What a file is instead of a model: `what` follows the file's name, `remedy` says where to go from there. */
export interface OtherFormat {
  readonly what: string;
  readonly remedy: string;
}

interface Signature extends OtherFormat {
  matches(head: Uint8Array, text: string): boolean;
}

const download = 'Download the model file itself';
const convert = 'Export or convert it to ONNX first';

/** None of these can be how an ONNX model begins: a protobuf message starts with the tag of a field of the model. */
const signatures: readonly Signature[] = [
  {
    matches: (_, text) => text.startsWith('version https://git-lfs.github.com/spec/'),
    what: 'is a Git LFS pointer, not the file itself',
    remedy: 'Run `git lfs pull` in its repository, or download the file',
  },
  {
    matches: (_, text) => /^\s*<(!doctype|html|head|body|\?xml|!--)/i.test(text),
    what: 'is a web page saved under this name, not a model',
    remedy: `${download}: on model hubs the link to the raw file, not to its page`,
  },
  {
    matches: (_, text) => /^\s*[{[]\s*(["{[\]}\d-]|true|false|null)/.test(text),
    what: 'is JSON, not a model',
    remedy: `${download}: this may be a server's error message or a TensorFlow.js model`,
  },
  {
    matches: (_, text) => text.startsWith('PK\x03\x04') || text.startsWith('PK\x05\x06'),
    what: 'is a zip archive (an .npz, a PyTorch checkpoint or a packed folder), not a model',
    remedy: 'Unpack it if it holds a model, or export the checkpoint to ONNX',
  },
  { matches: (_, text) => text.startsWith('\x1f\x8b'), what: 'is compressed with gzip', remedy: 'Unpack it first' },
  {
    matches: (head) => head[8] === 0x7b && safetensorsHeaderLength(head) > 1 && safetensorsHeaderLength(head) < 2 ** 28,
    what: 'is a safetensors file: weights without a graph',
    remedy: convert,
  },
  {
    matches: (_, text) => isFlatBuffer(text, 'ORTM'),
    what: "is in ONNX Runtime's own .ort format",
    remedy: 'Use the .onnx model that it was made from',
  },
  { matches: (_, text) => isFlatBuffer(text, 'TFL3'), what: 'is a TensorFlow Lite model', remedy: convert },
  { matches: (_, text) => text.startsWith('GGUF'), what: 'is a GGUF file', remedy: convert },
  { matches: (_, text) => text.startsWith('\x89HDF'), what: 'is an HDF5 file (Keras weights?)', remedy: convert },
  { matches: (_, text) => text.startsWith('\x93NUMPY'), what: 'is a NumPy array, not a model', remedy: download },
  {
    matches: (head) => head[0] === 0x80 && (head[1] ?? 0) >= 2 && (head[1] ?? 0) <= 5,
    what: 'is a Python pickle (PyTorch?)',
    remedy: convert,
  },
  {
    matches: (head) => head.length >= 16 && head.every((byte) => byte === 0),
    what: 'begins with zeros only: a download that was never filled in',
    remedy: 'Download it again',
  },
];

/** How many bytes of a file {@link otherFormat} wants to see. */
export const HEAD_LENGTH = 512;

/**
 * Recognises what people have under the name of a model, or of its data, when it is not one.
 *
 * @param head - the file's first {@link HEAD_LENGTH} bytes, or all of a shorter file.
 * @returns what it is, or `null` where nothing is recognised.
 */
export function otherFormat(head: Uint8Array): OtherFormat | null {
  const text = latin1(head).replace(/^\xef\xbb\xbf/, '');
  return signatures.find((signature) => signature.matches(head, text)) ?? null;
}

/** The start of a text file, for a file that turned out to be no model; `null` for binary. */
export function textStart(head: Uint8Array): string | null {
  const text = latin1(head);
  return /^[\t\n\f\r\x20-\x7e]+$/.test(text) ? text.trim().replace(/\s+/g, ' ').slice(0, 60) : null;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, HEAD_LENGTH));
}

/** A small offset to the content, then the kind; in a model those letters may be part of its producer's name. */
function isFlatBuffer(text: string, kind: string): boolean {
  return text.slice(2, 8) === `\0\0${kind}`;
}

function safetensorsHeaderLength(head: Uint8Array): number {
  return Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
}
