// The Universal Sentence Encoder lite as TensorFlow.js runs it: sentences to pieces, pieces to vectors.
export { type EncoderFeed, embed, feedOf, load } from './encoder.js';
export { type Tokenizer, unigramTokenizer, type Vocabulary } from './tokenizer.js';
