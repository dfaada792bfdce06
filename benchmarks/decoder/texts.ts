import { readFile } from 'node:fs/promises';

/** Paragraphs shorter than this are headings and the like. */
const SHORTEST = 400;
/** Calibration texts are cut here: about 250 tokens. */
const LONGEST = 1000;
/** Of the file, from its start, the share that is calibrated on. The rest is measured on. */
const CALIBRATION = 0.6;

/** Text to fit on and other text to measure on, from one file. */
export interface Texts {
  /** One line each, taken from all of the file's first part. */
  readonly calibration: readonly string[];
  /** The file's last part, as it is. */
  readonly measured: string;
}

/** Parts a text file, one paragraph a line. */
export async function readTexts(file: string, sequences: number): Promise<Texts> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  const end = Math.floor(lines.length * CALIBRATION);
  const paragraphs = lines.slice(0, end).flatMap((line) => {
    const text = line.trim();
    return text.length < SHORTEST ? [] : [text.slice(0, LONGEST)];
  });
  const count = Math.min(sequences, paragraphs.length);
  const step = paragraphs.length / count;
  return {
    calibration: Array.from({ length: count }, (_, i) => paragraphs[Math.floor(i * step)] as string),
    measured: lines.slice(end).join('\n'),
  };
}
