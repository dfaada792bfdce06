/** A tensor of ONNX Runtime, as far as it is used here. */
export interface OrtTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
}

/** A session of ONNX Runtime, as far as it is used here. */
export interface OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(
    feeds: Readonly<Record<string, OrtTensor>>,
    fetches: readonly string[],
    options?: object,
  ): Promise<Readonly<Record<string, OrtTensor>>>;
  release(): Promise<void>;
}

/**
 * The ONNX Runtime module: what `import * as ort` gives for `onnxruntime-node`, `onnxruntime-web` or one of its
 * entry points (`onnxruntime-web/webgpu`).
 */
export interface OrtRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: object): Promise<OrtSession>;
  };
  /** Its overloads differ between versions, so that none is asked for here. */
  readonly Tensor: new (
    type: never,
    data: never,
    dims: never,
  ) => OrtTensor;
  /** Whether sessions take large weights beside the model. Default `true`; ONNX Runtime before 1.18 does not. */
  readonly takesExternalData?: boolean;
}
