import * as library from '@xenova/transformers';
import { encoderDecoderSuite } from './encoder-decoder-suite.js';
import type { LibraryUnderTest } from './library-under-test.js';

encoderDecoderSuite(library as unknown as LibraryUnderTest);
