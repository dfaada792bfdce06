import * as library from 'transformers-v3';
import type { LibraryUnderTest } from './library-under-test.js';
import { loadSuite } from './load-suite.js';

loadSuite(library as unknown as LibraryUnderTest, 3);
