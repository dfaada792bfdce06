import type { Projection } from '../attention/weights.js';
import type { BlockProjection } from './block.js';
import type { Inquiry } from './inquiry.js';
import { sources } from './inquiry.js';
import type { OutputProjection } from './output.js';
import { weightMatrix } from './projection.js';
import { Refusal } from './refusal.js';

/**
 * The columns of a projection that the heads read, heads in contiguous blocks, scales folded in.
 *
 * @param factor - what multiplies each of these columns besides. Default 1.
 */
export function headProjection(inquiry: Inquiry, projection: BlockProjection, factor?: Float64Array): Projection {
  const { traced, heads } = projection;
  const full = weightMatrix(inquiry, traced.projection);
  const cols = heads.columns.length;
  const data = new Float64Array(full.rows * cols);
  for (let row = 0; row < full.rows; row++) {
    for (let col = 0; col < cols; col++) {
      const from = full.data[row * full.cols + (heads.columns[col] as number)] as number;
      data[row * cols + col] = from * (heads.gain[col] as number) * (factor?.[col] ?? 1);
    }
  }
  return {
    weight: { rows: full.rows, cols, data },
    bias: traced.hasBias ? heads.offset.map((x, col) => x * (factor?.[col] ?? 1)) : null,
  };
}

/**
 * The output projection with its rows in the order of the heads.
 *
 * @param factor - what multiplies each row, `[numHeads * valueHeadDim]`.
 */
export function outputWeights(inquiry: Inquiry, output: OutputProjection, factor: Float64Array): Projection {
  const width = factor.length;
  const numbers = inquiry.constant(output.weight);
  if (!numbers) throw new Refusal(`the weight "${output.weight}" cannot be read`, sources(output.product));
  const { rows, columns } = output.elements();
  const data = new Float64Array(width * output.outputDim);
  for (const [i, number] of numbers.entries()) {
    data[(rows[i] as number) * output.outputDim + (columns[i] as number)] = number;
  }
  return { weight: { rows: width, cols: output.outputDim, data }, bias: output.readBias() };
}
