/** What a file is instead of a model: `what` follows the file's name, `remedy` says where to go from there. */
export interface OtherFormat {
  readonly what: string;
  readonly remedy: string;
}

const signatures: readonly (OtherFormat & { readonly start: RegExp })[] = [
  {
    start: /^version https:\/\/git-lfs\.github\.com\/spec\//,
    what: 'is a Git LFS pointer, not the file itself',
    remedy: 'Run `git lfs pull` in its repository, or download the file',
  },
  {
    start: /^\s*<(!doctype|html|head|body|\?xml|!--)/i,
    what: 'is a web page saved under this name, not a model',
    remedy: 'Download the model file itself: on model hubs the link to the raw file, not to its page',
  },
  {
    start: /^PK/,
    what: 'is a zip archive (a .keras model?), not the model.json of TensorFlow.js',
    remedy: 'Convert it with tensorflowjs_converter first',
  },
  {
    start: /^\x89HDF|^\uFFFDHDF/,
    what: 'is an HDF5 file (a Keras model?), not the model.json of TensorFlow.js',
    remedy: 'Convert it with tensorflowjs_converter first',
  },
  { start: /^\s*$/, what: 'is empty', remedy: 'Download it again' },
];

/** Recognises what people have under the name of a `model.json` when it is not one; `null` for anything else. */
export function otherFormat(text: string): OtherFormat | null {
  return signatures.find(({ start }) => start.test(text)) ?? null;
}
