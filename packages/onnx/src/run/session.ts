import type { OnnxModel } from '../graph/model.js';
import type { HostTensor, HostTensors } from './host-tensor.js';
import { importRuntime } from './import-runtime.js';
import type { OrtRuntime, OrtSession, OrtTensor } from './ort-runtime.js';
import { inTurn } from './run-queue.js';
import { sessionModel } from './session-model.js';

/** How sessions are opened. */
export interface SessionOptions {
  /** The ONNX Runtime module. Default: {@link importRuntime}. */
  readonly runtime?: OrtRuntime;
  /**
   * Threads of one operator. Default: the runtime's choice. ONNX Runtime Web has at most `env.wasm.numThreads`,
   * which only the caller can set, before the first session.
   */
  readonly threads?: number;
  /** Execution providers in order of preference, as ONNX Runtime names them. Default: the runtime's choice. */
  readonly executionProviders?: readonly (string | { readonly name: string })[];
}

/** A model loaded into ONNX Runtime. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Runs the model; runs of one runtime are done one after another. The feeds must not change until it has ended.
   *
   * @param feeds - at least the session's inputs; others are passed over, so that one set serves several models.
   * @param outputs - which outputs to return. Default: all.
   * @throws Error where an input is missing or the runtime fails.
   */
  run(feeds: HostTensors, outputs?: readonly string[]): Promise<HostTensors>;
  /** Frees the runtime's memory, after the runs already asked for. Once is enough, twice does no harm. */
  release(): Promise<void>;
}

/** ONNX Runtime's level for fatal errors only: every lesser one is thrown anyway. */
const QUIET = { logSeverityLevel: 4 } as const;

/**
 * Loads a model into ONNX Runtime. Whoever opens a session releases it: {@link withSession} does.
 *
 * @param model - the model; its external data is read now.
 * @param options - runtime, threads, execution providers.
 * @throws Error where the runtime refuses the model, or none is installed.
 */
export async function openSession(model: OnnxModel, options: SessionOptions = {}): Promise<Session> {
  const runtime = options.runtime ?? (await importRuntime());
  const { bytes, externalData, tables } = sessionModel(model, runtime.takesExternalData);
  const session = await inTurn(runtime, () =>
    explained(`ONNX Runtime cannot load ${model.name}`, () =>
      runtime.InferenceSession.create(bytes, {
        ...QUIET,
        ...(options.threads !== undefined && { intraOpNumThreads: options.threads }),
        ...(options.executionProviders !== undefined && { executionProviders: options.executionProviders }),
        ...(externalData.length > 0 && { externalData }),
      }),
    ),
  );
  return sessionOf(runtime, session, tables, model.name);
}

/**
 * Opens a session, uses it and releases it, also where the use fails.
 *
 * @param model - the model to load.
 * @param options - as of {@link openSession}.
 * @param use - gets the session; it must not keep it.
 * @returns what `use` returns.
 */
export async function withSession<T>(
  model: OnnxModel,
  options: SessionOptions,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession(model, options);
  try {
    return await use(session);
  } finally {
    await session.release();
  }
}

function sessionOf(runtime: OrtRuntime, session: OrtSession, tables: HostTensors, name: string): Session {
  let released: Promise<void> | undefined;
  const fixed = Object.entries(tables).map(([table, tensor]) => [table, toOrt(runtime, tensor)] as const);
  const inputNames = session.inputNames.filter((input) => !Object.hasOwn(tables, input));
  return {
    inputNames,
    outputNames: session.outputNames,
    async run(feeds, outputs = session.outputNames) {
      if (released !== undefined) throw new Error(`The session of ${name} is released: open another one.`);
      const missing = inputNames.filter((input) => feeds[input] === undefined);
      if (missing.length > 0) throw new Error(`${name} needs a feed for ${missing.join(', ')}.`);
      const given = inputNames.map((input) => [input, toOrt(runtime, feeds[input] as HostTensor)] as const);
      // onnxruntime-node 1.21 gives results the names of the first outputs, whichever were asked for.
      const last = Math.max(...outputs.map((output) => session.outputNames.indexOf(output)));
      const asked = session.outputNames.slice(0, last + 1);
      const results = await inTurn(runtime, () =>
        explained(`ONNX Runtime cannot run ${name}`, () =>
          session.run(Object.fromEntries([...given, ...fixed]), asked, QUIET),
        ),
      );
      return Object.fromEntries(outputs.map((output) => [output, fromOrt(results[output] as OrtTensor)]));
    },
    release() {
      released ??= inTurn(runtime, () => session.release());
      return released;
    },
  };
}

/** ONNX Runtime refused a model, or failed to run it on what it was fed. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
}

async function explained<T>(what: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (cause) {
    // WebAssembly throws bare numbers where it runs out of memory.
    const reason = cause instanceof Error ? cause.message : `error ${cause}, perhaps out of memory`;
    throw new RuntimeError(`${what}: ${reason.trim().replace(/\s+/g, ' ')}`, { cause });
  }
}

function toOrt(runtime: OrtRuntime, { dtype, dims, data }: HostTensor): OrtTensor {
  const Tensor = runtime.Tensor as new (type: string, data: unknown, dims: readonly number[]) => OrtTensor;
  return new Tensor(dtype, data, [...dims]);
}

function fromOrt({ type, dims, data }: OrtTensor): HostTensor {
  return { dtype: type, dims: [...dims], data: type === 'float16' ? bitsOf(data as Uint16Array) : data } as HostTensor;
}

/** Where the engine has Float16Array, the runtime returns float16 in one. */
function bitsOf({ buffer, byteOffset, length }: Uint16Array): Uint16Array {
  return new Uint16Array(buffer, byteOffset, length);
}
