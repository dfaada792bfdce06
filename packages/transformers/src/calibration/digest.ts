import type { CalibrationSample } from './calibration-input.js';

/** The SHA-256 of a text and what follows it, in hexadecimal. */
export async function digest(parts: readonly (string | ArrayBufferView<ArrayBuffer>)[]): Promise<string> {
  const bytes = await new Blob([...parts]).arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What tells two lists of calibration inputs apart. Images by address count as their address. */
export function digestSamples(samples: readonly CalibrationSample[]): Promise<string> {
  return digest(
    samples.flatMap(({ text, image, audio, target }) => {
      const isAddress = image === undefined || typeof image === 'string' || image instanceof URL;
      const size = isAddress ? String(image) : [image.width, image.height, image.channels];
      const head = `${JSON.stringify({ text, image: size, audio: audio?.length, target })}\n`;
      const bytes = [isAddress ? undefined : image.data, audio].filter((part) => part !== undefined);
      return [head, ...(bytes as ArrayBufferView<ArrayBuffer>[])];
    }),
  );
}
