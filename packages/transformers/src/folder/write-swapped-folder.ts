import { encodeModel } from '@mhe/onnx';
import type { NodeModules } from '../library/node-modules.js';
import { ModelFolderError } from '../model-folder-error.js';
import { splitPath } from '../split-path.js';
import { isFloat } from './dtype.js';
import { modelCard } from './model-card.js';
import { type ModelFile, ONNX_FOLDER, requireNode } from './model-folder.js';
import { operatorsOf } from './operators.js';
import { type OutputFile, outputConfig } from './output-config.js';
import type { SwappedFolder } from './swap-folder-files.js';
import { usageOf } from './usage.js';
import { checkOutputFolder, writeFolder } from './write-folder.js';

/** How a folder is written. */
export interface FolderWriteOptions {
  /** Whether a model that is there may be replaced, with all of its folder. Default `false`. */
  readonly force?: boolean;
  /** Stops the writing and removes what was written. */
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface WrittenFolder {
  readonly folder: string;
  /** Paths of all files below the folder, in order. */
  readonly files: readonly string[];
  readonly byteLength: number;
  /** What was left out or taken over unchanged, and why. */
  readonly notices: readonly string[];
}

/** Weights of other frameworks, which are still those of the original. */
const OTHER_WEIGHTS = /\.(bin|gguf|h5|msgpack|onnx|onnx_data(_\d+)?|ot|pt|pth|safetensors)$/;

/** What is written anew, or belongs to a working copy. */
const NOT_COPIED = new Set([ONNX_FOLDER, 'config.json', 'README.md', 'mhe.json', '.git', '.cache']);

/**
 * Writes a swapped folder, complete: configuration, tokenizer and processor files, `onnx/`, `mhe.json` with the report and how
 * it was made, and a model card. It appears under its name when it is complete.
 *
 * @throws ModelFolderError where `output` may not or cannot be written.
 */
export async function writeSwappedFolder(
  swapped: SwappedFolder,
  output: string,
  options: FolderWriteOptions = {},
): Promise<WrittenFolder> {
  const { force = false, signal } = options;
  const { folder } = swapped.original;
  const node = requireNode(folder);
  checkOutputFolder(folder, output, { force });
  const notices: string[] = [];
  const written: string[] = [];
  let byteLength = 0;
  await writeFolder(node, output, async (target) => {
    const { cp, mkdir, readFile, stat, writeFile } = node.fs.promises;
    const write = async (path: string, content: string | Uint8Array) => {
      signal?.throwIfAborted();
      await writeFile(node.path.join(target, path), content);
    };
    const copy = async (path: string) => {
      signal?.throwIfAborted();
      // Downloaded folders may hold links to where the files really are.
      const source = node.path.join(folder, path);
      await cp(source, node.path.join(target, path), { recursive: true, dereference: true }).catch((cause) => {
        const what = `it cannot be copied (${cause.code ?? cause.message})`;
        throw new ModelFolderError(source, 'unreadable', what, 'Mend or remove it', { cause });
      });
    };
    const plan = await planFolder(node, swapped);
    notices.push(...plan.notices);
    await mkdir(node.path.join(target, ONNX_FOLDER));
    for (const path of plan.copies) await copy(path);
    const files: OutputFile[] = plan.kept.map((file) => ({ ...file, dataFiles: null }));
    for (const { file, model } of plan.swapped) {
      const { bytes, externalData } = encodeModel(model, { dataName: `${baseName(file)}_data` });
      await write(file.path, bytes);
      for (const [name, data] of externalData) await write(`${ONNX_FOLDER}/${name}`, data);
      files.push({ ...file, dataFiles: externalData.size });
    }
    const reports = Object.fromEntries(plan.swapped.map(({ file, report }) => [file.path, report]));
    const { name: source, hub, owns } = swapped.original;
    const card = owns('README.md') ? node.path.join(folder, 'README.md') : null;
    const original = card === null ? '' : await readFile(card, 'utf8').catch(() => '');
    const { config } = swapped.original;
    const preprocessor = await readJson(node, node.path.join(folder, 'preprocessor_config.json'));
    const usage = usageOf({ config, preprocessor, bases: files.map(({ base }) => base), reports });
    await write('config.json', json(outputConfig(config, files)));
    const leftOut = plan.leftOut.map((kind) => {
      const from = plan.swapped.filter(({ file }) => file.base === kind.base);
      return { ...kind, operators: new Set(from.flatMap(({ model }) => [...operatorsOf(model)])) };
    });
    await write('README.md', modelCard({ source, hub, original, reports, usage, notices, leftOut }));
    const { options: made } = swapped;
    await write(
      'mhe.json',
      json({
        format: 1,
        madeBy: '@mhe/transformers',
        source,
        ...(hub && { revision: hub.revision }),
        options: made,
        notices,
        files: reports,
      }),
    );
    for (const path of node.fs.readdirSync(target, { recursive: true, encoding: 'utf8' }).sort()) {
      const info = await stat(node.path.join(target, path));
      if (!info.isFile()) continue;
      written.push(node.path.join(output, path));
      byteLength += info.size;
    }
  });
  return { folder: output, files: written, byteLength, notices };
}

/** What goes into the output, and what stays behind. */
async function planFolder(node: NodeModules, { original, files }: SwappedFolder) {
  const { readdir } = node.fs.promises;
  const swapped = files.filter(({ report }) => report.swapped.length > 0);
  const bases = new Set(swapped.map(({ file }) => file.base));
  const isSwapped = (file: ModelFile) => swapped.some((each) => each.file.path === file.path);
  const leftOut = original.files.filter((file) => bases.has(file.base) && !isSwapped(file));
  const kept = original.files.filter((file) => !bases.has(file.base));
  const gone = [...leftOut, ...swapped.map(({ file }) => file)].map(baseName);
  const data = new Set(swapped.flatMap(({ model }) => [...model.externalData.keys()]));
  const isGone = (name: string) =>
    data.has(name) ||
    gone.some((model) => name === model || name.startsWith(`${model}_data`) || name === `${model}.data`);
  const inOnnx = (await readdir(node.path.join(original.folder, ONNX_FOLDER)))
    .filter((name) => original.owns(`${ONNX_FOLDER}/${name}`))
    .sort();
  const others = (await readdir(original.folder)).filter((name) => !NOT_COPIED.has(name) && original.owns(name)).sort();
  const otherWeights = others.filter((name) => OTHER_WEIGHTS.test(name));
  return {
    swapped,
    leftOut,
    kept,
    copies: [
      ...others.filter((name) => !OTHER_WEIGHTS.test(name)),
      ...inOnnx.filter((name) => !isGone(name)).map((name) => `${ONNX_FOLDER}/${name}`),
    ],
    notices: [
      ...leftOut.map(
        ({ path, base, dtype }) =>
          `${path} was left out: it is the original's ${dtype} file; ${isFloat(dtype) ? 'swap both dtypes, or ' : ''}convert the swapped ${base}.onnx to ${dtype} anew`,
      ),
      ...kept.map(({ path }) => `${path} is the original's, unchanged`),
      ...otherWeights.map((name) => `${name} was left out: it has the weights of the original`),
    ],
  };
}

function baseName({ path }: ModelFile): string {
  return splitPath(path).name;
}

/** The object that a file holds; `null` where there is none. */
function readJson({ fs }: NodeModules, file: string): Promise<Readonly<Record<string, unknown>> | null> {
  return fs.promises
    .readFile(file, 'utf8')
    .then(JSON.parse)
    .catch(() => null);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
