import type { Faker } from '@faker-js/faker';
import { type Canvas, createCanvas, type ImageData, type SKRSContext2D } from '@napi-rs/canvas';
import { registerFonts } from './fonts.js';
import { lineOfText, seededFaker } from './text.js';

/** A picture of one line of text, and what stands in it. */
export interface TextLine {
  readonly text: string;
  readonly picture: Canvas;
}

/** Draws `count` lines of text as a scan or a photograph might show them; the same seed draws the same lines. */
export function drawLines(seed: number, count: number): TextLine[] {
  const fonts = registerFonts();
  const faker = seededFaker(seed);
  return Array.from({ length: count }, () => {
    const text = lineOfText(faker);
    return { text, picture: drawLine(text, faker.helpers.arrayElement(fonts), faker) };
  });
}

function drawLine(text: string, font: string, faker: Faker): Canvas {
  const between = (min: number, max: number) => faker.number.float({ min, max });
  const size = between(12, 44);
  const margin = size * between(0.15, 0.4);
  const width = Math.ceil(measure(text, font, size) + 2 * margin);
  const picture = createCanvas(width, Math.ceil(size * 1.15 + 2 * margin * 0.6));
  const context = picture.getContext('2d');

  const paper = between(170, 255);
  const ink = between(0, paper - 60);
  context.fillStyle = tinted(paper, faker);
  context.fillRect(0, 0, picture.width, picture.height);
  context.filter = `blur(${(size * between(0, 0.05)).toFixed(2)}px)`;
  context.translate(picture.width / 2, picture.height / 2);
  context.rotate(between(-0.006, 0.006));
  write(context, text, font, size, tinted(ink, faker));
  context.resetTransform();

  const pixels = context.getImageData(0, 0, picture.width, picture.height);
  addNoise(pixels, between(0, 24), faker);
  context.putImageData(pixels, 0, 0);
  return picture;
}

function measure(text: string, font: string, size: number): number {
  const context = createCanvas(1, 1).getContext('2d');
  context.font = `${size}px "${font}"`;
  return context.measureText(text).width;
}

function write(context: SKRSContext2D, text: string, font: string, size: number, colour: string): void {
  context.font = `${size}px "${font}"`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillStyle = colour;
  context.fillText(text, 0, 0);
}

/** A grey of this level with a slight cast. */
function tinted(level: number, faker: Faker): string {
  const channel = () => Math.round(Math.min(255, Math.max(0, level + faker.number.float({ min: -15, max: 15 }))));
  return `rgb(${channel()}, ${channel()}, ${channel()})`;
}

/** Grain as a sensor makes it: the same change for the three channels of a pixel, uniform, up to `strength`. */
function addNoise(pixels: ImageData, strength: number, faker: Faker): void {
  for (let at = 0; at < pixels.data.length; at += 4) {
    const change = faker.number.float({ min: -strength, max: strength });
    for (let channel = at; channel < at + 3; channel++) pixels.data[channel] = (pixels.data[channel] ?? 0) + change;
  }
}
