import { type FoldedMheWeights, type OutputMoments, refitOutput, seededRandom } from '@mhe/core';
import fc from 'fast-check';
import { Matrix as Dense, solve } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { fromDense, matrix, oneGroup, toDense } from './fit-cases.js';

interface Regression {
  readonly weights: FoldedMheWeights;
  readonly features: Dense;
  readonly targets: Dense;
  readonly moments: OutputMoments;
}

const shapes = fc.record({
  seed: fc.nat(),
  numHeads: fc.integer({ min: 1, max: 5 }),
  valueHeadDim: fc.integer({ min: 1, max: 12 }),
  outputDim: fc.integer({ min: 1, max: 9 }),
});

/** Heads' outputs and targets for `count` positions, with means that are not zero. */
function regression({ seed, numHeads, valueHeadDim, outputDim }: Shape, count: number): Regression {
  const random = seededRandom(seed);
  const dim = numHeads * valueHeadDim;
  const features = toDense(matrix(count, dim, random))
    .mmul(toDense(matrix(dim, dim, random)))
    .addRowVector(Array.from({ length: dim }, random.normal));
  const targets = toDense(matrix(count, outputDim, random)).addRowVector(
    Array.from({ length: outputDim }, random.normal),
  );
  const unused = { weight: matrix(1, 1, random), bias: null };
  return {
    weights: {
      numHeads,
      headDim: 1,
      valueHeadDim,
      scale: 1,
      groups: oneGroup(numHeads),
      query: unused,
      key: unused,
      value: { weight: matrix(3, valueHeadDim, random), bias: null },
      output: { weight: matrix(dim, outputDim, random), bias: null },
      queryGain: null,
      queryBias: null,
    },
    features,
    targets,
    moments: momentsOf({ features, targets }),
  };
}

interface Shape {
  readonly seed: number;
  readonly numHeads: number;
  readonly valueHeadDim: number;
  readonly outputDim: number;
}

/** Positions as they are, for a library to solve over. */
interface Positions {
  readonly features: Dense;
  readonly targets: Dense;
}

function momentsOf({ features, targets }: Positions): OutputMoments {
  const extended = features.clone().addColumn(Dense.ones(features.rows, 1));
  return {
    features: fromDense(extended.transpose().mmul(extended)),
    targets: fromDense(extended.transpose().mmul(targets)),
  };
}

function stacked(parts: readonly Positions[]): Positions {
  const [first, ...others] = parts as [Positions, ...Positions[]];
  const below = (one: Dense, other: Dense) => new Dense([...one.to2DArray(), ...other.to2DArray()]);
  return others.reduce(
    (all, { features, targets }) => ({
      features: below(all.features, features),
      targets: below(all.targets, targets),
    }),
    first,
  );
}

/** Ridge regression towards a prior, the bias free, as the library solves it over the positions. */
function ridgeOver({ features, targets }: Positions, prior: Dense, ridge: number): { weight: Dense; bias: Dense } {
  const [mean, targetMean] = [features.mean('column'), targets.mean('column')];
  const varying = features.clone().subRowVector(mean);
  const normal = varying.transpose().mmul(varying);
  const floor = (ridge * normal.trace()) / features.columns;
  const wanted = varying.transpose().mmul(targets.clone().subRowVector(targetMean)).add(prior.clone().mul(floor));
  const weight = solve(normal.add(Dense.eye(features.columns).mul(floor)), wanted);
  return { weight, bias: Dense.rowVector(targetMean).sub(Dense.rowVector(mean).mmul(weight)) };
}

function expectClose(got: Float64Array | null, expected: Dense, digits: number): void {
  const wanted = expected.to1DArray();
  const largest = wanted.reduce((max, x) => Math.max(max, Math.abs(x)), 1);
  expect(got).toHaveLength(wanted.length);
  got?.forEach((x, i) => {
    expect((x - (wanted[i] as number)) / largest).toBeCloseTo(0, digits);
  });
}

describe('the refit of the output', () => {
  it('is ridge regression towards the given weights, the bias free: as the library solves it over the positions', () => {
    fc.assert(
      fc.property(shapes, fc.constantFrom(1e-4, 1e-2, 1), (shape, ridge) => {
        const { weights, features, targets, moments } = regression(shape, 80);
        const { output } = refitOutput(weights, [moments], { ridge });
        const expected = ridgeOver({ features, targets }, toDense(weights.output.weight), ridge);
        expectClose(output.weight.data, expected.weight, 8);
        expectClose(output.bias, expected.bias, 8);
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  it('finds the projection that made the targets', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const { weights, features, moments } = regression(shape, 80);
        const truth = toDense(matrix(features.columns, shape.outputDim, seededRandom(shape.seed + 1)));
        const extended = features.clone().addColumn(Dense.ones(80, 1));
        const targets = fromDense(extended.transpose().mmul(features.mmul(truth)));
        const { output } = refitOutput(weights, [{ ...moments, targets }], { ridge: 1e-12 });
        expectClose(output.weight.data, truth, 4);
      }),
      { numRuns: 20, seed: 2 },
    );
  });

  it('keeps the weights in directions that the calibration did not show', () => {
    const shape = { seed: 3, numHeads: 2, valueHeadDim: 4, outputDim: 5 };
    const { weights, moments } = regression(shape, 30);
    const silent = 3;
    const quiet = (data: Float64Array, cols: number) =>
      data.map((x, at) => (Math.floor(at / cols) === silent || (cols === 9 && at % cols === silent) ? 0 : x));
    const { output } = refitOutput(weights, [
      {
        features: { ...moments.features, data: quiet(moments.features.data, 9) },
        targets: { ...moments.targets, data: quiet(moments.targets.data, 5) },
      },
    ]);
    const row = (data: Float64Array) => [...data.subarray(silent * 5, (silent + 1) * 5)];
    row(output.weight.data).forEach((x, i) => {
      expect(x).toBeCloseTo(row(weights.output.weight.data)[i] as number, 10);
    });
    expect(row(output.weight.data)).not.toEqual(output.weight.data.subarray(0, 5));
  });

  it('bears sums in float32, of means far from zero, and fewer positions than features', () => {
    const { weights, features, targets } = regression({ seed: 4, numHeads: 3, valueHeadDim: 8, outputDim: 5 }, 10);
    const shifted = Dense.add(features, 100).addColumn(Dense.ones(10, 1));
    const single = (dense: Dense) => {
      const { rows, cols, data } = fromDense(dense);
      return { rows, cols, data: Float64Array.from(Float32Array.from(data)) };
    };
    const { output } = refitOutput(weights, [
      {
        features: single(shifted.transpose().mmul(shifted)),
        targets: single(shifted.transpose().mmul(targets)),
      },
    ]);
    expect(output.weight.data.every(Number.isFinite)).toBe(true);
    const predicted = shifted
      .subMatrix(0, 9, 0, 23)
      .mmul(toDense(output.weight))
      .addRowVector([...(output.bias ?? [])]);
    const spread = targets.clone().subRowVector(targets.mean('column')).norm('frobenius');
    expect(Dense.sub(predicted, targets).norm('frobenius') / spread).toBeLessThan(0.2);
  });

  it('leaves weights that give the targets already, whatever float32 does to the sums', () => {
    const { weights, features } = regression({ seed: 6, numHeads: 3, valueHeadDim: 8, outputDim: 5 }, 10);
    const extended = features.clone().addColumn(Dense.ones(10, 1));
    const single = (dense: Dense) => {
      const { rows, cols, data } = fromDense(dense);
      return { rows, cols, data: Float64Array.from(Float32Array.from(data)) };
    };
    const moments = (targets: Dense) => ({
      features: single(extended.transpose().mmul(extended)),
      targets: single(extended.transpose().mmul(targets)),
    });
    const given = features.mmul(toDense(weights.output.weight));
    expect(refitOutput(weights, [moments(given)])).toBe(weights);
    // A bias that is missing is something to mend.
    expect(refitOutput(weights, [moments(Dense.add(given, 0.01))])).not.toBe(weights);
  });

  it('takes the ridge that serves each part best when the others are fitted', () => {
    fc.assert(
      fc.property(shapes, fc.constantFrom(0, 0.1, 1, 10), fc.integer({ min: 2, max: 3 }), (shape, noise, count) => {
        const random = seededRandom(shape.seed + 2);
        const dim = shape.numHeads * shape.valueHeadDim;
        const rows = Math.ceil(dim * 0.8) + 3;
        const { weights } = regression(shape, 1);
        const prior = toDense(weights.output.weight);
        const truth = Dense.add(prior, toDense(matrix(dim, shape.outputDim, random)).mul(0.3));
        const parts = Array.from({ length: count }, () => {
          const features = toDense(matrix(rows, dim, random));
          const error = toDense(matrix(rows, shape.outputDim, random)).mul(noise);
          return { features, targets: features.mmul(truth).add(error) };
        });

        const ladder = Array.from({ length: 9 }, (_, step) => 1e-4 * 4 ** step);
        const errors = ladder.map((ridge) =>
          parts.reduce((sum, { features, targets }, i) => {
            const fitted = ridgeOver(stacked(parts.filter((_, j) => j !== i)), prior, ridge);
            const predicted = features.mmul(fitted.weight).addRowVector(fitted.bias);
            return sum + Dense.sub(predicted, targets).norm('frobenius') ** 2;
          }, 0),
        );
        const turn = errors.findIndex((error, i) => !((errors[i + 1] ?? Number.POSITIVE_INFINITY) < error));
        const ridge = Math.max(1e-4, ((ladder[turn] as number) * (count - 1)) / count);
        const expected = ridgeOver(stacked(parts), prior, ridge);

        const [first, ...others] = parts.map(momentsOf) as [OutputMoments, ...OutputMoments[]];
        const { output } = refitOutput(weights, [first, ...others]);
        expectClose(output.weight.data, expected.weight, 6);
      }),
      { numRuns: 30, seed: 3 },
    );
  });

  it('does better on positions that it has not seen than the weakest ridge, where there are few', () => {
    const shape = { seed: 8, numHeads: 4, valueHeadDim: 12, outputDim: 40 };
    const random = seededRandom(9);
    const { weights } = regression(shape, 1);
    const prior = toDense(weights.output.weight);
    const positions = (count: number) => {
      const features = toDense(matrix(count, 48, random));
      return { features, targets: features.mmul(prior).add(toDense(matrix(count, 40, random)).mul(2)) };
    };
    const [one, other, unseen] = [positions(40), positions(40), positions(500)];
    const errorOf = ({ output }: FoldedMheWeights) =>
      Dense.sub(
        unseen.features.mmul(toDense(output.weight)).addRowVector([...(output.bias ?? [])]),
        unseen.targets,
      ).norm('frobenius');
    const parts = [momentsOf(one), momentsOf(other)] as const;
    const [chosen, weakest] = [refitOutput(weights, parts), refitOutput(weights, parts, { ridge: 1e-4 })];
    expect(errorOf(chosen)).toBeLessThan(0.75 * errorOf(weakest));
  });

  it('refuses moments of another size by name', () => {
    const { weights, moments } = regression({ seed: 5, numHeads: 2, valueHeadDim: 3, outputDim: 4 }, 20);
    expect(() => refitOutput(weights, [{ ...moments, features: moments.targets }])).toThrow(/features must be 7 x 7/);
    expect(() => refitOutput(weights, [{ ...moments, targets: moments.features }])).toThrow(/targets must be 7 x 4/);
  });
});
