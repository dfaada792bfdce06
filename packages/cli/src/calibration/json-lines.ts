import { flattenNested, type NestedValues } from '@mhe/core';
import type { Feed } from './feed.js';
import { readLines } from './lines.js';

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
    for (const [name, values] of inputs) check(values, name);
    return feed as Feed;
  } catch (cause) {
    throw new Error(`${place}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** Values must form a full grid. */
function check(values: NestedValues, name: string): void {
  try {
    flattenNested(values);
  } catch (cause) {
    throw new Error(`${name} ${(cause as Error).message}`, { cause });
  }
}
