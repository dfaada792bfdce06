import { type Canvas, createCanvas } from '@napi-rs/canvas';

/** What the recogniser reads: `[1, 3, 48, width]`, blue, green and red, from -1 to 1. */
export interface RecogniserInput {
  readonly data: Float32Array;
  readonly dims: readonly [1, 3, 48, number];
}

/** What the recogniser's graph calls its input. */
export const INPUT_NAME = 'x';

const HEIGHT = 48;
const SHORTEST_WIDTH = 320;

/**
 * PaddleOCR's own preparation (its `resize_norm_img`): 48 pixels high with the aspect kept, colours in OpenCV's order
 * blue, green, red, `(x / 255 - 0.5) / 0.5`, and zeros to the right up to 320 pixels. A longer line keeps its full
 * width: nothing is squeezed or cut.
 */
export function recogniserInput(picture: Canvas): RecogniserInput {
  const width = Math.ceil((HEIGHT * picture.width) / picture.height);
  const paddedWidth = Math.max(SHORTEST_WIDTH, width);
  const scaled = createCanvas(width, HEIGHT).getContext('2d');
  scaled.drawImage(picture, 0, 0, width, HEIGHT);
  const rgba = scaled.getImageData(0, 0, width, HEIGHT).data;

  const data = new Float32Array(3 * HEIGHT * paddedWidth);
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < HEIGHT; y++) {
      const row = (channel * HEIGHT + y) * paddedWidth;
      for (let x = 0; x < width; x++) {
        const level = rgba[4 * (y * width + x) + 2 - channel] ?? 0;
        data[row + x] = (level / 255 - 0.5) / 0.5;
      }
    }
  }
  return { data, dims: [1, 3, HEIGHT, paddedWidth] };
}
