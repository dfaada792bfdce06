// Version 3 and version 4 bring a version of onnxruntime-node each, and one process takes one.

import { swapFolderFiles } from '@mhe/transformers';
import * as library from 'transformers-v3';
import { expect, it } from 'vitest';
import { FIXTURES, texts } from './library-under-test.js';

it('says what to do where another version of ONNX Runtime is loaded already', async () => {
  const folder = `${FIXTURES}bert`;
  const options = { calibration: texts(2), groups: 'heads' } as const;
  const error = await swapFolderFiles(folder, options).catch((cause: Error) => cause);
  expect(error).toBeInstanceOf(Error);
  expect((error as Error).message).toMatch(
    /^@huggingface\/transformers cannot load its onnxruntime-node \(.+\)\. Most likely another version .* pass it as `library`\.$/,
  );
  const { files } = await swapFolderFiles(folder, { ...options, library });
  expect(files[0]?.report.swapped).toHaveLength(2);
});
