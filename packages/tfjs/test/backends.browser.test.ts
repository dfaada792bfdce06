// The port and the layers on the backends of a browser.
import { FormError } from '@mhe/core';
import { multiHeadEmbeddingAttention } from '@mhe/tfjs';
import { ones } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { browserBackends, useBackend } from './backends.js';
import { testFit } from './fit-suite.js';
import { testLayers } from './layers-suite.js';
import { testPort } from './port-suite.js';

describe.each(browserBackends)('%s', (backend) => {
  describe('the port', () => testPort(backend));
  describe('the layers', () => testLayers(backend));
  // An emulated graphics card takes a minute for all of them.
  describe('fit', () => testFit(backend, ['MHA with dropout', 'MHE-MUL', 'MHE-ADD with dropout']));
});

it('refuses the factorised form on webgpu, which cannot check its range', async () => {
  await useBackend('webgpu');
  const layer = multiHeadEmbeddingAttention({ numHeads: 2, headDim: 3, embedding: 'add', form: 'factorised' });
  expect(() => layer.apply(ones([1, 4, 6]))).toThrow(FormError);
});
