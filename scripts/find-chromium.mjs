import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

const macPlaces = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

const windowsPlaces = [
  String.raw`Google\Chrome\Application\chrome.exe`,
  String.raw`Chromium\Application\chrome.exe`,
  String.raw`Microsoft\Edge\Application\msedge.exe`,
];

/** @returns {string[]} */
function places() {
  if (process.platform === 'darwin') return macPlaces;
  if (process.platform === 'win32') {
    const folders = [process.env.ProgramFiles, process.env['ProgramFiles(x86)'], process.env.LOCALAPPDATA];
    return windowsPlaces.flatMap((place) => folders.flatMap((folder) => (folder ? [join(folder, place)] : [])));
  }
  return [];
}

/**
 * The program of a Chromium browser: what `MHE_CHROMIUM` names, or one on the PATH, or one in its usual place.
 *
 * @returns {{ path: string } | { path: null, missing: string }} `missing` says why there is none.
 */
export function findChromium() {
  const named = process.env.MHE_CHROMIUM;
  if (named)
    return existsSync(named) ? { path: named } : { path: null, missing: `MHE_CHROMIUM names no file: ${named}` };
  const onPath = (process.env.PATH ?? '').split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  const path = [...onPath, ...places()].find((place) => existsSync(place));
  return path ? { path } : { path: null, missing: 'no Chromium or Chrome found (MHE_CHROMIUM may name one)' };
}
