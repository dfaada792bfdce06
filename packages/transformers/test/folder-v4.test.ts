import * as library from '@huggingface/transformers';
import { expect, it } from 'vitest';
import { folderSuite } from './folder-suite.js';
import type { LibraryUnderTest } from './library-under-test.js';

it('is version 4', () => expect(library.env.version).toMatch(/^4\./));
folderSuite(library as unknown as LibraryUnderTest);
