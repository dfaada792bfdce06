/**
 * A path of a weight file as `model.json` names it, as a path below the model's folder, without `.` and `..`.
 *
 * @returns `null` where it is absolute in any system's way, an address, leaves the folder or is none.
 */
export function normaliseShardPath(location: unknown): string | null {
  if (typeof location !== 'string' || /^\/|^[a-zA-Z][a-zA-Z\d+.-]*:|[\\\0]/.test(location)) return null;
  const path: string[] = [];
  for (const part of location.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') path.push(part);
    else if (path.pop() === undefined) return null;
  }
  return path.length === 0 ? null : path.join('/');
}
