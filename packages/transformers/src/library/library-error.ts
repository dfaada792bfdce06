import { ModelFolderError, type ModelProblem } from '../model-folder-error.js';
import type { TransformersLibrary } from './library.js';

/** What an error of the library says in versions 2 to 4, and what to say instead. */
interface Reading {
  readonly says: RegExp;
  readonly problem: ModelProblem;
  what(found: string): string;
  readonly remedy: string;
}

const CHECK_ID = 'Check the id and the revision';

const READINGS: readonly Reading[] = [
  {
    says: /^(?:Unauthorized|Forbidden) access to file: "(.*)"/,
    problem: 'denied',
    what: (url) => `${url} may not be read: the model is gated or private, or there is none of that id`,
    remedy: `${CHECK_ID}; for a gated or private model ask for access on its page and set HF_TOKEN`,
  },
  {
    says: /^Could not locate file: "(.*\.onnx(?:_data(?:_\d+)?)?)"/,
    problem: 'unreadable',
    what: (url) => `it has no ${fileOf(url)} (${url})`,
    remedy: 'The swap needs the fp32 or fp16 file: choose a model that has it',
  },
  {
    says: /^Could not locate file: "(.*)"/,
    problem: 'unreadable',
    what: (url) => `it has no ${fileOf(url)} (${url}), or there is no such model`,
    remedy: CHECK_ID,
  },
  {
    says: /file was not found locally at "(.*)"/,
    problem: 'unreadable',
    what: (file) => `there is no ${file}, it is not in the cache, and downloads are off`,
    remedy: 'Put it there, or allow downloads (local_files_only, env.allowRemoteModels)',
  },
  {
    says: /^Local file missing at "(.*)" and download aborted/,
    problem: 'unreadable',
    what: (file) => `there is no ${file}`,
    remedy: 'Name a model folder that is there, or an id such as Xenova/all-MiniLM-L6-v2',
  },
  {
    says: /occurred while trying to load file: "(.*)"/,
    problem: 'unreachable',
    what: (url) => `the server cannot give ${url} now`,
    remedy: 'Try again later',
  },
  {
    says: /^Unsupported model type: (.*)/,
    problem: 'unsupported',
    what: (type) => `this version of transformers.js cannot load models of type ${type} so`,
    remedy: 'Use another class or task, or a version that knows the type',
  },
];

/** How Node and browsers call a request that got no answer. */
const NO_ANSWER = /^(fetch failed|Failed to fetch|NetworkError|Load failed)/;

/**
 * What the library threw when it loaded a model, as one line that names the model and the file and says what to do; as it
 * was, where it is nothing of that kind.
 */
export function libraryError({ env }: TransformersLibrary, id: string, cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  if (NO_ANSWER.test(cause.message)) {
    const { code, message } = (cause.cause ?? {}) as { code?: string; message?: string };
    const what = `${env.remoteHost} cannot be reached (${code ?? message ?? cause.message})`;
    return new ModelFolderError(id, 'unreachable', what, 'Check the network, or name a folder that holds the model', {
      cause,
    });
  }
  for (const { says, problem, what, remedy } of READINGS) {
    const [, found] = says.exec(cause.message) ?? [];
    if (found !== undefined) return new ModelFolderError(id, problem, what(found), remedy, { cause });
  }
  return cause;
}

/** The file below the model, of its address: what follows `resolve/REVISION/`. */
function fileOf(url: string): string {
  return /\/resolve\/[^/]+\/(.*)$/.exec(url)?.[1] ?? url;
}
