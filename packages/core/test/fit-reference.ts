// What a fit leaves out, by definition: with every head's form written out as a matrix.
import { type AttentionWeights, expandMhe, type FitMoments, type FoldedMheWeights, type Projection } from '@mhe/core';
import { Matrix as Dense } from 'ml-matrix';
import { toDense } from './fit-cases.js';

/** `[W; b]` of one head, as an affine map of `[x, 1]`. */
function affineHead({ weight, bias }: Projection, head: number, size: number): Dense {
  const columns = toDense(weight).subMatrix(0, weight.rows - 1, head * size, (head + 1) * size - 1);
  const row = bias ? [...bias.subarray(head * size, (head + 1) * size)] : new Array<number>(size).fill(0);
  return columns.addRow(columns.rows, row);
}

/** The form by which a head scores `[x, 1]` against `y`: its key bias cancels in softmax. */
export function scoreForm({ query, key, headDim }: AttentionWeights, head: number): Dense {
  const keys = affineHead(key, head, headDim);
  return affineHead(query, head, headDim).mmul(keys.subMatrix(0, keys.rows - 2, 0, headDim - 1).transpose());
}

/** What a head brings to the output for `x`, without constants. */
export function valueForm({ value, output, valueHeadDim }: AttentionWeights, head: number): Dense {
  const rows = toDense(output.weight).subMatrix(
    head * valueHeadDim,
    (head + 1) * valueHeadDim - 1,
    0,
    output.weight.cols - 1,
  );
  const values = affineHead(value, head, valueHeadDim);
  return values.subMatrix(0, values.rows - 2, 0, valueHeadDim - 1).mmul(rows);
}

/** `|L^T D R|^2` for `L L^T = left`, `R R^T = right`. */
function weightedEnergy(form: Dense, left: Dense, right: Dense): number {
  return form.transpose().mmul(left).mmul(form).mmul(right).trace();
}

/** The second moment of `[x, 1]` without its constant: the covariance of `x`. */
export function centred(moment: Dense): Dense {
  const dim = moment.rows - 1;
  const count = moment.get(dim, dim);
  const mean = Dense.rowVector(moment.getRow(dim).slice(0, dim)).div(count);
  return moment
    .subMatrix(0, dim - 1, 0, dim - 1)
    .div(count)
    .sub(mean.transpose().mmul(mean));
}

/** Shares of energy that the fitted heads leave out, queries and keys of each head apart. */
export function leftOut(
  original: AttentionWeights,
  fitted: FoldedMheWeights,
  moments: Required<Omit<FitMoments, 'keyInput'>>,
): { readonly queryKey: number; readonly value: number; readonly heads: readonly number[] } {
  const expanded = expandMhe(fitted);
  const query = toDense(moments.query);
  const key = toDense(moments.key);
  const attended = centred(toDense(moments.attended));
  const even = Dense.identity(original.output.weight.cols);
  const sums = { scores: 0, scoresLost: 0, values: 0, valuesLost: 0 };
  const heads = Array.from({ length: original.numHeads }, (_, head) => {
    const form = scoreForm(original, head);
    const energy = weightedEnergy(form, query, key);
    const lost = weightedEnergy(Dense.sub(scoreForm(expanded, head), form), query, key);
    sums.scores += energy;
    sums.scoresLost += lost;
    const brought = valueForm(original, head);
    sums.values += weightedEnergy(brought, attended, even);
    sums.valuesLost += weightedEnergy(Dense.sub(valueForm(expanded, head), brought), attended, even);
    return lost / energy;
  });
  return { queryKey: sums.scoresLost / sums.scores, value: sums.valuesLost / sums.values, heads };
}
