/** The folder of a file below the model, whose parts `/` divides, and its name. */
export function splitPath(file: string): { folder: string; name: string } {
  const at = file.lastIndexOf('/');
  return { folder: file.slice(0, Math.max(at, 0)), name: file.slice(at + 1) };
}
