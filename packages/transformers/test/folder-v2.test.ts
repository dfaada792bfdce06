import * as library from '@xenova/transformers';
import { expect, it } from 'vitest';
import { folderSuite } from './folder-suite.js';
import type { LibraryUnderTest } from './library-under-test.js';

it('is version 2', () => expect(library.env.version).toMatch(/^2\./));
folderSuite(library as unknown as LibraryUnderTest);
