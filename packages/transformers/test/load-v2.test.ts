import * as library from '@xenova/transformers';
import type { LibraryUnderTest } from './library-under-test.js';
import { loadSuite } from './load-suite.js';

loadSuite(library as unknown as LibraryUnderTest, 2);
