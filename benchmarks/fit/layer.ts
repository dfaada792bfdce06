import {
  type AttentionWeights,
  type FitMoments,
  type Matrix,
  type OutputMoments,
  type SeededRandom,
  seededRandom,
} from '@mhe/core';

/** A layer to fit, with all that calibration would tell about it. */
export interface FitTask {
  readonly weights: AttentionWeights;
  readonly moments: Required<Omit<FitMoments, 'keyInput'>>;
  readonly output: OutputMoments;
}

/**
 * A layer of the size asked for. Its heads have half of their projections in common, and its inputs vary much in a few
 * directions and little in most, as in pretrained models: neither trivial to fit nor mere noise.
 */
export function fitTask(numHeads: number, headDim: number, seed: number): FitTask {
  const random = seededRandom(seed);
  const width = numHeads * headDim;
  const projection = () => ({
    weight: relatedHeads(width, numHeads, headDim, random),
    bias: normal(1, width, random).data,
  });
  return {
    weights: {
      numHeads,
      headDim,
      valueHeadDim: headDim,
      scale: headDim ** -0.5,
      query: projection(),
      key: projection(),
      value: projection(),
      output: { weight: normal(width, width, random), bias: new Float64Array(width) },
    },
    moments: { query: moment(width + 1, random), key: moment(width, random), attended: moment(width + 1, random) },
    output: { features: moment(width + 1, random), targets: normal(width + 1, width, random) },
  };
}

function relatedHeads(width: number, numHeads: number, headDim: number, random: SeededRandom): Matrix {
  const common = normal(width, headDim, random).data;
  const out = normal(width, numHeads * headDim, random);
  out.data.forEach((x, at) => {
    const row = Math.floor(at / out.cols);
    out.data[at] = (x + (common[row * headDim + (at % headDim)] as number)) / Math.sqrt(2 * width);
  });
  return out;
}

/** A covariance whose variances fall off as `1 / rank`, in directions that overlap the axes; 1 in the last corner. */
function moment(size: number, random: SeededRandom): Matrix {
  const direction = normal(1, size, random).data.map((x) => x / Math.sqrt(size));
  const out = { rows: size, cols: size, data: new Float64Array(size * size) };
  for (let r = 0; r < size; r++) {
    out.data[r * size + r] = r === size - 1 ? 1 : 2 / (1 + r);
    for (let c = 0; c < size - 1; c++) {
      if (r === size - 1) continue;
      const at = r * size + c;
      out.data[at] = (out.data[at] as number) + (direction[r] as number) * (direction[c] as number);
    }
  }
  return out;
}

function normal(rows: number, cols: number, random: SeededRandom): Matrix {
  return { rows, cols, data: Float64Array.from({ length: rows * cols }, random.normal) };
}
