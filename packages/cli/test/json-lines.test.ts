import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonLinesFeeds } from '../src/calibration/json-lines.js';
import { openCalibration } from '../src/calibration/open-calibration.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mhe-json-lines-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(content: string | Uint8Array): Promise<string> {
  const path = join(folder, 'feeds.jsonl');
  await writeFile(path, content);
  return path;
}

const messageOf = async (content: string) => {
  const path = await file(content);
  try {
    return [...jsonLinesFeeds(path)].length;
  } catch (error) {
    return (error as Error).message.replace(path, 'FILE');
  }
};

describe('feeds', () => {
  it('come one from each line that is not blank, with any line end and none at the end', async () => {
    const path = await file('\uFEFF{"a":[[1,2]]}\r\n\n   \n{"a":[[3]],"é":0.5}\n{"a":["text",true]}');
    expect([...(await openCalibration(path))]).toEqual([{ a: [[1, 2]] }, { a: [[3]], é: 0.5 }, { a: ['text', true] }]);
  });

  it('can be iterated again', async () => {
    const feeds = await openCalibration(await file('{"a":1}\n{"a":2}\n'));
    expect([...feeds]).toEqual([...feeds]);
  });

  it('are the same wherever the reader cuts the file', async () => {
    const objects = Array.from({ length: 300 }, (_, index) => ({
      'é€😀': Array.from({ length: index * 7 }, (_, n) => n),
    }));
    const path = await file(objects.map((object) => JSON.stringify(object)).join('\n'));
    expect([...jsonLinesFeeds(path)]).toEqual(objects);
  });

  it('are read as they are asked for', async () => {
    const path = await file(`{"a":1}\n${'{"a":[1,2,3]}\n'.repeat(100_000)}no json\n`);
    const [first] = jsonLinesFeeds(path);
    expect(first).toEqual({ a: 1 });
    expect(() => [...jsonLinesFeeds(path)]).toThrow(/line 100002/);
  });
});

describe('errors name the line', () => {
  it.each([
    ['{"a":1}\n\nnot json\n', /^FILE, line 3: Unexpected token/],
    ['{"a":1}\n[1]\n', /^FILE, line 2: an object from input names/],
    ['{}', /^FILE, line 1: the object names no input/],
    ['{"a":{"b":1}}', /^FILE, line 1: a holds an object for a value/],
    ['{"a":[null]}', /^FILE, line 1: a holds null for a value/],
    ['{"a":[[1,2],[3]]}', /^FILE, line 1: a is ragged: lists of 2 and of 1 stand side by side/],
    ['{"a":[[1],2]}', /^FILE, line 1: a is ragged/],
    [`{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`, /^FILE, line 1: a is nested more than 16 deep/],
    ['\n\n', /^FILE holds no feed/],
  ])('%s', async (content, message) => {
    expect(await messageOf(content)).toMatch(message);
  });
});

describe('files that are no calibration', () => {
  it.each([
    ['a folder', () => folder, /is a folder/],
    ['a missing file', () => join(folder, 'missing.jsonl'), /missing\.jsonl: no such file/],
    ['an empty file', () => file(''), /is empty/],
  ])('%s', async (_, path, message) => {
    await expect(openCalibration(await path())).rejects.toThrow(message);
  });
});
