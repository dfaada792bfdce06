import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A tensor of a fixture, row-major. */
export interface Tensor {
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

/** What the exporter recorded of a fixture: its blocks, and inputs with the outputs that PyTorch gives for them. */
export interface OnnxFixture {
  readonly path: string;
  readonly sites: readonly { readonly numHeads: number; readonly headDim: number }[];
  readonly cases: readonly {
    readonly inputs: Readonly<Record<string, Tensor>>;
    readonly outputs: Readonly<Record<string, Tensor>>;
  }[];
}

/** A fixture of the ONNX adapter, by name. */
export function onnxFixture(name: string): OnnxFixture {
  const path = fileURLToPath(new URL(`../../onnx/test/fixtures/${name}.onnx`, import.meta.url));
  return { path, ...JSON.parse(readFileSync(path.replace(/onnx$/, 'json'), 'utf8')) };
}

/** Flat values nested by their dimensions, as a calibration file has them. */
export function nested({ dims, data }: Tensor): unknown {
  const [length, ...rest] = dims;
  if (length === undefined) return data[0];
  const size = data.length / length;
  return Array.from({ length }, (_, index) =>
    nested({ dtype: '', dims: rest, data: data.slice(index * size, (index + 1) * size) }),
  );
}
