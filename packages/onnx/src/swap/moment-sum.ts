import { create } from '@bufbuild/protobuf';
import type { Matrix } from '@mhe/core';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
} from 'onnx-buf';
import type { OnnxModel } from '../graph/model.js';
import { valueInfo } from '../graph/value-info.js';
import type { HostTensor } from '../run/host-tensor.js';
import type { Session } from '../run/session.js';

/** Rows are gathered until there are this many: one product of them is faster than many small ones. */
const ROWS = 512;

/**
 * A sum of products `left^T right` over rows that come in parts. The runtime multiplies, in float32; the sum of the
 * parts is kept in float64.
 */
export class MomentSum {
  private left: RowBuffer | undefined;
  private right: RowBuffer | undefined;
  private sum: Matrix | undefined;

  /** @param session - of {@link productModel}. */
  constructor(private readonly session: Session) {}

  /**
   * Takes rows.
   *
   * @param left - `[rows, columns]`, float32.
   * @param right - `[rows, others]`, float32; absent: the left ones, for a second moment.
   */
  async add(left: HostTensor, right?: HostTensor): Promise<void> {
    const rows = left.dims[0] as number;
    this.left ??= new RowBuffer(left.dims[1] as number);
    if (right) this.right ??= new RowBuffer(right.dims[1] as number);
    for (let row = 0; row < rows; ) {
      const taken = this.left.take(left.data as Float32Array, row);
      if (right) this.right?.take(right.data as Float32Array, row);
      row += taken;
      if (this.left.isFull) await this.flush();
    }
  }

  /** The sum of everything so far; `undefined` where nothing was added. */
  async total(): Promise<Matrix | undefined> {
    if (this.left && !this.left.isEmpty) await this.flush();
    return this.sum;
  }

  private async flush(): Promise<void> {
    const left = (this.left as RowBuffer).empty();
    const { product } = await this.session.run({ left, right: this.right?.empty() ?? left });
    const [rows = 0, cols = 0] = product?.dims ?? [];
    const numbers = product?.data as Float32Array;
    this.sum ??= { rows, cols, data: new Float64Array(rows * cols) };
    const { data } = this.sum;
    for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) + (numbers[i] as number);
  }
}

/** Rows that wait for their product. */
class RowBuffer {
  private readonly data: Float32Array;
  private rows = 0;

  constructor(private readonly columns: number) {
    this.data = new Float32Array(ROWS * columns);
  }

  get isFull(): boolean {
    return this.rows === ROWS;
  }

  get isEmpty(): boolean {
    return this.rows === 0;
  }

  /** Copies rows from number `from` on, as many as there is room for; returns how many. */
  take(data: Float32Array, from: number): number {
    const part = data.subarray(from * this.columns, (from + ROWS - this.rows) * this.columns);
    this.data.set(part, this.rows * this.columns);
    const taken = part.length / this.columns;
    this.rows += taken;
    return taken;
  }

  /** What is in it, which the next row overwrites. */
  empty(): HostTensor {
    const { rows, columns } = this;
    this.rows = 0;
    return { dtype: 'float32', dims: [rows, columns], data: this.data.subarray(0, rows * columns) };
  }
}

/** The model that {@link MomentSum} runs: `product = left^T right`. */
export const productModel: OnnxModel = {
  name: 'moments',
  externalData: new Map(),
  proto: create(ModelProtoSchema, {
    irVersion: 7n,
    opsetImport: [create(OperatorSetIdProtoSchema, { domain: '', version: 13n })],
    graph: create(GraphProtoSchema, {
      name: 'moments',
      node: [
        create(NodeProtoSchema, { opType: 'Transpose', input: ['left'], output: ['transposed'] }),
        create(NodeProtoSchema, { opType: 'MatMul', input: ['transposed', 'right'], output: ['product'] }),
      ],
      input: [valueInfo('left', TensorProto_DataType.FLOAT), valueInfo('right', TensorProto_DataType.FLOAT)],
      output: [valueInfo('product', TensorProto_DataType.FLOAT)],
    }),
  }),
};
