import { createRequire } from 'node:module';
import { join } from 'node:path';
import { GlobalFonts } from '@napi-rs/canvas';

const require = createRequire(import.meta.url);

/** Two sans-serif, two serif and one typewriter face, free and found everywhere. */
const PACKAGES = {
  arimo: require.resolve('@fontsource/arimo/package.json'),
  roboto: require.resolve('@fontsource/roboto/package.json'),
  tinos: require.resolve('@fontsource/tinos/package.json'),
  lora: require.resolve('@fontsource/lora/package.json'),
  cousine: require.resolve('@fontsource/cousine/package.json'),
};
const STYLES = ['400-normal', '400-italic', '700-normal'];

/** Makes the example's fonts known to the canvas and returns the names that it knows them by. */
export function registerFonts(): string[] {
  return Object.entries(PACKAGES).flatMap(([family, manifest]) =>
    STYLES.map((style) => {
      const name = `${family}-${style}`;
      const file = join(manifest, '..', 'files', `${family}-latin-${style}.woff2`);
      if (!GlobalFonts.registerFromPath(file, name)) throw new Error(`The canvas cannot read the font ${file}.`);
      return name;
    }),
  );
}
