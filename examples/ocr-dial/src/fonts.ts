import { createRequire } from 'node:module';
import { GlobalFonts } from '@napi-rs/canvas';

const require = createRequire(import.meta.url);

/** Two sans-serif, two serif and one typewriter face, free and found everywhere. */
const FAMILIES = ['arimo', 'roboto', 'tinos', 'lora', 'cousine'] as const;
const STYLES = ['400-normal', '400-italic', '700-normal'] as const;

/** Makes the example's fonts known to the canvas and returns the names that it knows them by. */
export function registerFonts(): string[] {
  return FAMILIES.flatMap((family) =>
    STYLES.map((style) => {
      const name = `${family}-${style}`;
      const file = require.resolve(`@fontsource/${family}/files/${family}-latin-${style}.woff2`);
      if (!GlobalFonts.registerFromPath(file, name)) throw new Error(`The canvas cannot read the font ${file}.`);
      return name;
    }),
  );
}
