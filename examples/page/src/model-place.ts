/** Where a model is: on the hub, or in a folder that a server has. */
export interface ModelPlace {
  /** The hub's name of it, or that of its folder. */
  readonly id: string;
  /** Address of the folder around it; `null` on the hub. */
  readonly around: string | null;
}

/**
 * Reads what a person entered: `owner/name` is a model of the hub, an address or something that starts with a dot or a
 * slash is a folder.
 *
 * @param page - what relative addresses start from.
 * @throws Error where it is neither.
 */
export function modelPlace(entered: string, page: string): ModelPlace {
  const text = entered.trim();
  if (/^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(text)) return { id: text, around: null };
  if (!/^(https?:\/\/|\.{0,2}\/)/.test(text)) {
    throw new Error(`${text || 'The model'}: give a hub id (owner/name), or the address of a folder.`);
  }
  const [address] = new URL(text, page).href.split(/[?#]/);
  const [, around, id] = /^(.*\/)([\w.-]+)\/*$/.exec(address ?? '') ?? [];
  if (!around || !id || around.endsWith('//')) {
    throw new Error(`${text}: the address of a folder is expected, its name made of letters, digits, dots and dashes.`);
  }
  return { id, around };
}
