import { base, en, Faker } from '@faker-js/faker';

/** One line of ordinary English text, of a kind picked at random. */
type TextKind = (faker: Faker) => string;

const KINDS: readonly TextKind[] = [
  (faker) => sentence(faker.word.words({ count: { min: 2, max: 4 } })),
  (faker) => sentence(faker.word.words({ count: { min: 2, max: 4 } })),
  (faker) => faker.location.streetAddress(),
  (faker) => `${faker.location.city()}, ${faker.location.state()}`,
  (faker) => faker.commerce.productName(),
  (faker) => `${faker.person.fullName()}, ${faker.number.int({ min: 18, max: 99 })}`,
  (faker) => `Invoice ${faker.string.numeric(6)} of ${day(faker)}`,
  (faker) => `Total: $${faker.finance.amount({ min: 10, max: 99_999, autoFormat: true })}`,
];

const DAYS = { from: '1995-01-01T00:00:00Z', to: '2025-12-31T00:00:00Z' };

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

function day(faker: Faker): string {
  return faker.date.between(DAYS).toISOString().slice(0, 10);
}

/** A source of random text and numbers that gives the same ones for the same seed. */
export function seededFaker(seed: number): Faker {
  return new Faker({ locale: [en, base], seed });
}

/** A line as it might stand in a letter, an invoice or on a sign. */
export function lineOfText(faker: Faker): string {
  return faker.helpers.arrayElement(KINDS)(faker);
}
