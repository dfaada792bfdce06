/** What the page starts with. */
export const exampleQuery = 'How can I get my money back?';

export const exampleSentences = [
  'You may return the shoes within a month for a full refund.',
  'The museum is closed on Mondays.',
  'Our dog loves to swim in the lake.',
  'Add a pinch of salt and stir the soup.',
  'The last train to the airport leaves at midnight.',
  'She repaired the old bicycle by herself.',
  'Heavy rain is expected in the mountains tomorrow.',
  'My phone does not charge any more.',
  'The orchestra played until late at night.',
];
