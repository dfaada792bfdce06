// TensorFlow.js models of layers in the command.
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runMhe } from './run-mhe.js';

it('inspects a Keras model of layers', async () => {
  const folder = fileURLToPath(new URL('../../tfjs/test/fixtures/keras/translator/', import.meta.url));
  const { code, stdout, stderr } = await runMhe(['inspect', folder, '--json']);
  expect([code, stderr]).toEqual([0, '']);
  const { attention } = JSON.parse(stdout) as { readonly attention: readonly { readonly name: string }[] };
  expect(attention.map(({ name }) => name)).toEqual(['decoder_attention', 'encoder_attention', 'cross_attention']);
});
