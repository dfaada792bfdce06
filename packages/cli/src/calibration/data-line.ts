import { dirname, resolve } from 'node:path';
import type { RawInput } from './calibration.js';

/** The keys that a line may have, as transformers' data sets and the library name them. */
const KEYS = ['source', 'target', 'text', 'image'];

/** How the lines that are no plain texts look. */
const EXAMPLE = '{"source": "...", "target": "..."} or {"image": "cat.png", "text": "..."}';

/**
 * Reads a line of calibration data: a text as it is, or, where it begins as a JSON object does, what that holds. Images are
 * named from the file's own folder.
 *
 * @param path - the file.
 * @param number - the line's number, from 1.
 * @throws Error naming the line where it is no such object.
 */
export function dataLine(line: string, path: string, number: number): RawInput {
  if (!/^\{\s*"/.test(line)) return { text: line };
  const fault = (what: string, cause?: unknown) =>
    new Error(`${path}, line ${number}: ${what}; give a plain text, ${EXAMPLE}`, { cause });
  let values: Record<string, unknown>;
  try {
    values = JSON.parse(line);
  } catch (cause) {
    throw fault('it begins as JSON and is none', cause);
  }
  const unknown = Object.keys(values).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw fault(`it has the key "${unknown}"`);
  const wrong = Object.entries(values).find(([, value]) => typeof value !== 'string' || value.trim() === '');
  if (wrong !== undefined) throw fault(`its "${wrong[0]}" is no text`);
  const { source, text = source, image, target } = values as Readonly<Record<string, string>>;
  if (source !== undefined && (target === undefined || 'text' in values)) {
    throw fault('a source goes with a target, and stands for the text');
  }
  if (text === undefined && image === undefined) throw fault('it has nothing to read');
  return {
    ...(text !== undefined && { text }),
    ...(image !== undefined && { image: resolve(dirname(path), image) }),
    ...(target !== undefined && { target }),
  };
}
