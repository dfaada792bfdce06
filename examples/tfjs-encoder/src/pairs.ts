/** Two sentences whose likeness is asked for. */
export type SentencePair = readonly [string, string];

/** From the same said twice, over the same topic, to nothing in common. */
export const PAIRS: readonly SentencePair[] = [
  ['How old are you?', 'What is your age?'],
  ['A man is playing the guitar.', 'Someone plays a musical instrument.'],
  ['The train to Berlin was an hour late.', 'Our train arrived with a long delay.'],
  ['Where can I buy fresh bread?', 'Is there a bakery near here?'],
  ['The cat sleeps on the sofa.', 'A dog is barking at the postman.'],
  ['She teaches mathematics at a school.', 'He studies history at the university.'],
  ['The bank raised its interest rates.', 'We sat on the bank of the river.'],
  ['I forgot my password again.', 'The soup needs a little more salt.'],
];
