import { base, en, Faker } from '@faker-js/faker';

/** Everyday sentences; a name in braces stands for one of its choices. */
const EVERYDAY: Readonly<Record<string, readonly string[]>> = {
  sentence: [
    '{Who} {does} {where}.',
    '{Who} {does} {where} {when}.',
    '{Who} {did} {when}.',
    '{Who} {did} because {event}.',
    'Can you tell me where {who} {does}?',
    'How much does {thing} cost in {city}?',
    'Why is {thing} so {quality}?',
    'I think that {thing} is too {quality} for {who}.',
    'The {institution} announced {when} that {event}.',
    'According to the {institution}, {event}.',
    'What is the best way to {task}?',
    'You should {task} before {event}.',
    'I would like to {task}, but {event}.',
    'In {city}, {event} {when}.',
    'Please {task} {when}.',
    '{Who} and {who} {did} in {city}.',
  ],
  who: [
    ...['a man', 'a young woman', 'two children', 'my sister', 'our neighbour', 'the teacher', 'an old friend'],
    ...['the doctor', 'a group of tourists', 'the football team', 'her grandfather', 'a police officer', 'the cook'],
  ],
  does: [
    ...['is playing the piano', 'is riding a bicycle', 'is cutting vegetables', 'reads a newspaper', 'is dancing'],
    ...['walks the dog', 'is waiting for the bus', 'sells flowers', 'is painting a picture', 'is talking on the phone'],
  ],
  did: [
    ...['moved to another country', 'lost the keys', 'won the first prize', 'bought a used car', 'broke a leg'],
    ...['wrote a letter to the editor', 'missed the last train', 'planted an apple tree', 'repaired the roof'],
  ],
  where: [
    ...['in the park', 'at the station', 'on the beach', 'in the kitchen', 'in front of the library', 'near the river'],
    ...['on a crowded street', 'behind the house', 'in a small village', 'at the market'],
  ],
  when: [
    'yesterday',
    'every morning',
    'last summer',
    'after lunch',
    'on Monday',
    'tonight',
    'in winter',
    'ten years ago',
  ],
  event: [
    ...['the prices of oil have risen', 'the weather was terrible', 'the election was postponed', 'the shop is closed'],
    ...[
      'the computer stopped working',
      'nobody answered the phone',
      'the road was blocked by snow',
      'the baby fell asleep',
    ],
    ...['the company will cut 300 jobs', 'the president met the ministers', 'the concert was sold out'],
  ],
  thing: [
    ...[
      'a ticket to the museum',
      'this old camera',
      'the new phone',
      'a cup of coffee',
      'the blue jacket',
      'the software',
    ],
    ...['a house with a garden', 'the English language', 'the second chapter', 'fresh fish'],
  ],
  quality: ['expensive', 'heavy', 'popular', 'difficult', 'beautiful', 'slow', 'quiet', 'dangerous', 'small', 'sweet'],
  institution: ['government', 'hospital', 'university', 'central bank', 'weather service', 'city council', 'airline'],
  city: ['London', 'New York', 'Paris', 'Tokyo', 'Cairo', 'Sydney', 'Madrid', 'Toronto'],
  task: [
    ...[
      'learn a new language',
      'boil an egg',
      'save money',
      'clean the windows',
      'find a good doctor',
      'send a parcel',
    ],
    ...['back up the files', 'get to the airport', 'grow tomatoes', 'fix a flat tyre', 'fall asleep quickly'],
  ],
};

/** Sentences of many words, as Faker's templates: a fit wants a wide vocabulary. */
const WIDE = [
  'The {{word.adjective}} {{word.noun}} is {{word.adverb}} {{word.adjective}}.',
  'What is the best way to {{word.verb}} a {{word.noun}}?',
  'I would like to {{word.verb}} my {{word.noun}}, but the {{commerce.department}} shop is closed.',
  'How much does a {{commerce.productName}} cost in {{location.city}}?',
  '{{company.name}} said on {{date.weekday}} that its {{commerce.product}} was too {{word.adjective}}.',
  '{{person.firstName}} and {{person.firstName}} moved from {{location.city}} to {{location.country}} in {{date.month}}.',
  '{{person.firstName}} reads "{{book.title}}" by {{book.author}} in the park.',
  'The {{color.human}} {{animal.type}} ate all the {{food.vegetable}} and the {{food.fruit}}.',
  'Is {{music.artist}} playing {{music.genre}} in {{location.city}} tonight?',
  '{{hacker.phrase}}',
  '{{food.description}}',
  '{{commerce.productDescription}}',
];

/** Sentences to fit on, of both kinds in turn: the same ones for the same seed. */
export function drawSentences(seed: number, count: number): string[] {
  const { helpers } = new Faker({ locale: [en, base], seed });
  const expand = (name: string): string => {
    const text = helpers.arrayElement(EVERYDAY[name.toLowerCase()] ?? []);
    const whole = text.replace(/\{(\w+)\}/g, (_, part) => expand(part));
    return name === name.toLowerCase() ? whole : capitalised(whole);
  };
  return Array.from({ length: count }, (_, i) =>
    i % 2 === 0 ? expand('Sentence') : helpers.fake(helpers.arrayElement(WIDE)),
  );
}

function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
