/**
 * A tensor's `location` as a path below the model's folder, without `.` and `..`; the same for every spelling of it.
 *
 * @param location - from a tensor's `external_data` (ONNX, External Data): a relative POSIX path.
 * @returns the path, or `null` where it is absolute in any system's way, leaves the folder or is none.
 */
export function normaliseLocation(location: string): string | null {
  if (/^\/|^[a-zA-Z]:|[\\\0]/.test(location)) return null;
  const path: string[] = [];
  for (const part of location.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') path.push(part);
    else if (path.pop() === undefined) return null;
  }
  return path.length === 0 ? null : path.join('/');
}
