// Adapters that emit a graph pay for every call of the port, so the number of calls is part of what a form promises.
import {
  attendFactorisedMheHeadsLast,
  attendFoldedMhe,
  attendMha,
  type Float64Tensor,
  float64Port,
  foldedMhe,
  type ScoreRules,
  type TensorPort,
} from '@mhe/core';
import { describe, expect, it } from 'vitest';
import { type Layout, randomFolded, randomMha, randomStreams } from './attention-cases.js';

function recordingPort(): { port: TensorPort<Float64Tensor>; calls: string[] } {
  const calls: string[] = [];
  const port = new Proxy(float64Port, {
    get(target, name: keyof TensorPort<Float64Tensor>) {
      return (...args: never[]) => {
        if (name !== 'constant') calls.push(name);
        return (target[name] as (...args: never[]) => unknown)(...args);
      };
    },
  });
  return { port, calls };
}

const noRules: ScoreRules<Float64Tensor> = { beforeSoftmax: (scores) => scores, sameForAllHeads: true };

const layout: Layout = {
  seed: 1,
  batch: 1,
  numHeads: 4,
  headDim: 3,
  valueHeadDim: 3,
  queryKey: [0, 0, 0, 0],
  value: [0, 0, 0, 0],
  streams: 'self',
  queries: 4,
  keys: 4,
  biases: { query: true, key: false, value: true, output: true },
  scale: 1,
};

describe('port calls of self attention', () => {
  it('MHA projects once', () => {
    const { port, calls } = recordingPort();
    attendMha(port, randomMha(layout), randomStreams(layout), noRules);
    expect(calls).toEqual([
      'matMul',
      'add',
      'reshape',
      'transpose',
      'split',
      'transpose',
      'matMul',
      'softmax',
      'matMul',
    ]);
  });

  it('folded MHE of one group projects once and broadcasts keys and values', () => {
    const { port, calls } = recordingPort();
    attendFoldedMhe(port, randomFolded(layout, { gain: true, bias: false }), randomStreams(layout), noRules);
    expect(calls).toEqual(['matMul', 'add', 'unsqueeze', 'split', 'mul', 'transpose', 'matMul', 'softmax', 'matMul']);
  });

  it('folded MHE leaves out biases of zero', () => {
    const { port, calls } = recordingPort();
    const weights = randomFolded(
      { ...layout, biases: { ...layout.biases, query: false, value: false } },
      { gain: true, bias: false },
    );
    attendFoldedMhe(
      port,
      { ...weights, query: { ...weights.query, bias: new Float64Array(3) } },
      randomStreams(layout),
      noRules,
    );
    expect(calls).not.toContain('add');
  });

  it('folded MHE gathers groups only where there are several and fewer than heads', () => {
    const { port, calls } = recordingPort();
    const grouped = randomFolded(
      { ...layout, queryKey: [0, 1, 1, 0], value: [0, 1, 2, 3] },
      { gain: true, bias: false },
    );
    foldedMhe(port, grouped, randomStreams(layout), noRules);
    expect(calls.filter((name) => name === 'gather')).toHaveLength(2);
  });

  it('factorised MHE of one group has one softmax and two products for the sums of all heads', () => {
    const { port, calls } = recordingPort();
    const weights = randomFolded(layout, { gain: false, bias: true });
    attendFactorisedMheHeadsLast(port, weights, randomStreams(layout), noRules);
    expect(calls).toEqual(
      [
        ['matMul', 'add', 'unsqueeze', 'split'],
        ['transpose', 'matMul', 'softmax'],
        ['max', 'sub', 'exp'],
        ['reshape', 'unsqueeze', 'mul', 'reshape', 'matMul'],
        ['matMul', 'reshape', 'reshape', 'div'],
      ].flat(),
    );
  });

  it('computes scores once for heads that differ in nothing', () => {
    const { port } = recordingPort();
    let heads = 0;
    const rules = {
      ...noRules,
      beforeSoftmax: (scores: Float64Tensor) => {
        heads = scores.dims[1] as number;
        return scores;
      },
    };
    attendFoldedMhe(port, randomFolded(layout, { gain: false, bias: false }), randomStreams(layout), rules);
    expect(heads).toBe(1);
    attendFoldedMhe(port, randomFolded(layout, { gain: false, bias: false }), randomStreams(layout), {
      ...rules,
      sameForAllHeads: false,
    });
    expect(heads).toBe(4);
  });
});
