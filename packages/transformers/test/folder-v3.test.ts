import * as library from 'transformers-v3';
import { expect, it } from 'vitest';
import { folderSuite } from './folder-suite.js';
import type { LibraryUnderTest } from './library-under-test.js';

it('is version 3', () => expect(library.env.version).toMatch(/^3\./));
folderSuite(library as unknown as LibraryUnderTest);
