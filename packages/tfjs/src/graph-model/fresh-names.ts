import type { NodeDef } from './node-def.js';

/** Gives a name that the graph does not use yet, starting from a wish; the same wish twice gives two names. */
export type FreshNames = (wish: string) => string;

/** A source of names for new nodes that collide with no node. A free wish is granted, otherwise it gets a number. */
export function freshNames(nodes: Iterable<NodeDef>): FreshNames {
  const taken = new Set<string>();
  for (const { name } of nodes) taken.add(name);
  const nextNumber = new Map<string, number>();
  return (wish) => {
    let name = wish;
    let number = nextNumber.get(wish) ?? 1;
    while (taken.has(name)) name = `${wish}_${number++}`;
    nextNumber.set(wish, number);
    taken.add(name);
    return name;
  };
}
