import * as library from '@xenova/transformers';
import { generationSuite } from './generation-suite.js';
import type { LibraryUnderTest } from './library-under-test.js';

generationSuite(library as unknown as LibraryUnderTest);
