import type { Feed } from './feed.js';
import { readLines } from './lines.js';

/** More axes than any model's input has; a deeper nesting is no feed. */
const maxAxes = 16;

/**
 * Feeds from JSON Lines: each line an object from input names to nested numbers, such as
 * `{"input_ids": [[5, 7, 2]], "attention_mask": [[1, 1, 1]]}`. Blank lines are skipped. Read line by line, and anew
 * every time it is iterated, so that a file of any size takes little memory.
 *
 * Iterating throws an Error with the line's number where a line is no such object.
 */
export function jsonLinesFeeds(path: string): Iterable<Feed> {
  return { [Symbol.iterator]: () => readFeeds(path) };
}

function* readFeeds(path: string): Generator<Feed> {
  let lineNumber = 0;
  let numFeeds = 0;
  for (const line of readLines(path)) {
    lineNumber++;
    const text = lineNumber === 1 ? line.replace(/^\uFEFF/, '') : line;
    if (text.trim() === '') continue;
    yield parseFeed(text, `${path}, line ${lineNumber}`);
    numFeeds++;
  }
  if (numFeeds === 0) throw new Error(`${path} holds no feed: a line such as {"input_ids": [[5, 7, 2]]} is expected`);
}

function parseFeed(line: string, place: string): Feed {
  try {
    const feed: unknown = JSON.parse(line);
    if (typeof feed !== 'object' || feed === null || Array.isArray(feed)) {
      throw new Error('an object from input names to nested numbers is expected');
    }
    const inputs = Object.entries(feed);
    if (inputs.length === 0) throw new Error('the object names no input');
    for (const [name, value] of inputs) dimsOf(value, name);
    return feed as Feed;
  } catch (cause) {
    throw new Error(`${place}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

const scalar: readonly number[] = [];

/** The dimensions of nested numbers, which must form a full grid. */
function dimsOf(value: unknown, name: string, depth = 0): readonly number[] {
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') return scalar;
  if (!Array.isArray(value)) throw new Error(`${name} holds ${JSON.stringify(value).slice(0, 40)}, which is no value`);
  if (depth === maxAxes) throw new Error(`${name} is nested more than ${maxAxes} deep`);
  let first: readonly number[] | undefined;
  for (const item of value) {
    const dims = dimsOf(item, name, depth + 1);
    first ??= dims;
    if (dims !== first && dims.join() !== first.join()) {
      throw new Error(`${name} is ragged: [${first}] beside [${dims}]; all parts of an axis must have one length`);
    }
  }
  return [value.length, ...(first ?? [])];
}
