import type { ViewNode } from '@mhe/core';
import { intAttribute } from '../graph-model/attributes.js';
import type { Translation } from './translation.js';
import { constantNode, inner, same, step } from './translation.js';

/** Beyond any size. */
const END = 2 ** 31 - 1;

/** Starts and sizes, -1 for all the rest. */
export function slice(t: Translation): readonly ViewNode[] {
  const [data = '', starts = '', sizes = ''] = t.inputs;
  const [rest, isRest, end, sum, ends] = ['rest', 'is rest', 'end', 'sum', 'ends'].map((part) => inner(t, part)) as [
    string,
    string,
    string,
    string,
    string,
  ];
  return [
    constantNode(t, rest, [-1], []),
    constantNode(t, end, [END], []),
    step(t, { kind: 'binary', name: 'equal' }, [sizes, rest], isRest),
    step(t, { kind: 'binary', name: 'add' }, [starts, sizes], sum),
    step(t, { kind: 'where' }, [isRest, end, sum], ends),
    ...same(t, { kind: 'slice' }, [data, starts, ends]),
  ];
}

/** What one entry of a strided slice's lists asks for. */
type Entry = { readonly at: number } & (
  | { readonly kind: 'range'; readonly axis: number; readonly openStart: boolean; readonly openEnd: boolean }
  | { readonly kind: 'single'; readonly axis: number }
);

/**
 * Python's slicing with its five masks (TensorFlow, `StridedSlice`): ranges become one slice, single positions are
 * sliced and squeezed, new axes are put in last. Starts and ends may be computed; strides may not.
 */
export function stridedSlice(t: Translation): readonly ViewNode[] | undefined {
  const [data = '', starts = '', ends = '', strides = ''] = t.inputs;
  const steps = t.constant(strides);
  if (!steps) return undefined;
  const plan = planEntries(t, steps.length);
  if (!plan) return undefined;
  const { entries, newAxes } = plan;
  const nodes: ViewNode[] = [];
  const list = (part: string, numbers: readonly number[]) => {
    const id = inner(t, part);
    nodes.push(constantNode(t, id, numbers));
    return id;
  };
  const chosen = list(
    'chosen',
    entries.map(({ at }) => at),
  );
  const stepAt = (at: number) => steps[at] as number;
  /** The entries' numbers of a list, some of them replaced. */
  const bounds = (part: string, value: string, replaced: readonly (number | undefined)[]): string => {
    const known = t.constant(value);
    if (known) {
      return list(
        part,
        entries.map(({ at }, i) => replaced[i] ?? (known[at] as number)),
      );
    }
    const [picked, where, other, all] = ['picked', 'where', 'other', 'all'].map((name) => inner(t, `${part} ${name}`));
    nodes.push(
      step(t, { kind: 'gather', axis: 0 }, [value, chosen], picked as string),
      constantNode(
        t,
        where as string,
        replaced.map((number) => Number(number !== undefined)),
        [replaced.length],
        'boolean',
      ),
      constantNode(
        t,
        other as string,
        replaced.map((number) => number ?? 0),
      ),
      step(t, { kind: 'where' }, [where, other, picked] as string[], all as string),
    );
    return all as string;
  };
  const open = (entry: Entry, side: 'openStart' | 'openEnd') => {
    if (entry.kind !== 'range' || !entry[side]) return undefined;
    const forward = stepAt(entry.at) > 0;
    if (side === 'openStart') return forward ? 0 : END;
    return forward ? END : -END;
  };
  const from = bounds(
    'starts',
    starts,
    entries.map((entry) => open(entry, 'openStart')),
  );
  let to = bounds(
    'ends',
    ends,
    entries.map((entry) => open(entry, 'openEnd')),
  );
  if (entries.some(({ kind }) => kind === 'single')) to = afterSingles(t, entries, from, to, nodes);
  const axes = list(
    'axes',
    entries.map(({ axis }) => axis),
  );
  const sliceSteps = list(
    'steps',
    entries.map(({ at, kind }) => (kind === 'single' ? 1 : stepAt(at))),
  );
  const singles = entries.filter(({ kind }) => kind === 'single').map(({ axis }) => axis);
  let value = data;
  const then = (operator: ViewNode['operator'], inputs: readonly string[], part: string, isLast: boolean) => {
    const output = isLast ? t.node.name : inner(t, part);
    nodes.push(step(t, operator, [value, ...inputs], output));
    value = output;
  };
  const [hasSingles, hasNew] = [singles.length > 0, newAxes.length > 0];
  then({ kind: 'slice' }, [from, to, axes, sliceSteps], 'slice', !hasSingles && !hasNew);
  if (hasSingles) then({ kind: 'squeeze' }, [list('singles', singles)], 'squeeze', !hasNew);
  if (hasNew) then({ kind: 'unsqueeze' }, [list('new axes', newAxes)], 'unsqueeze', true);
  return nodes;
}

/** A single position ends one after it starts; the last one, -1, at the end of the axis. */
function afterSingles(
  t: Translation,
  entries: readonly Entry[],
  starts: string,
  ends: string,
  nodes: ViewNode[],
): string {
  const parts = ['single', 'one', 'next', 'zero', 'end', 'at end', 'after', 'until'].map((part) => inner(t, part));
  const [single, one, next, zero, end, atEnd, after, until] = parts as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  nodes.push(
    constantNode(
      t,
      single,
      entries.map(({ kind }) => Number(kind === 'single')),
      [entries.length],
      'boolean',
    ),
    constantNode(t, one, [1], []),
    constantNode(t, zero, [0], []),
    constantNode(t, end, [END], []),
    step(t, { kind: 'binary', name: 'add' }, [starts, one], next),
    step(t, { kind: 'binary', name: 'equal' }, [next, zero], atEnd),
    step(t, { kind: 'where' }, [atEnd, end, next], after),
    step(t, { kind: 'where' }, [single, after, ends], until),
  );
  return until;
}

/** Places the entries on axes: from the front up to an ellipsis, from the back after it. */
function planEntries({ node }: Translation, count: number) {
  const mask = (name: string, at: number) => (intAttribute(node, name, 0) & (1 << at)) !== 0;
  const kinds = Array.from({ length: count }, (_, at) => {
    if (mask('ellipsis_mask', at)) return 'ellipsis';
    if (mask('new_axis_mask', at)) return 'new';
    return mask('shrink_axis_mask', at) ? 'single' : 'range';
  });
  const ellipsis = kinds.indexOf('ellipsis');
  if (ellipsis !== kinds.lastIndexOf('ellipsis')) return undefined;
  const isIn = (kind: string) => kind === 'single' || kind === 'range';
  const isOut = (kind: string) => kind === 'new' || kind === 'range';
  /** Number of an entry's axis among those of a kind, counted from the side of the ellipsis that it is on. */
  const axisOf = (at: number, counts: (kind: string) => boolean) =>
    ellipsis < 0 || at < ellipsis ? kinds.slice(0, at).filter(counts).length : -kinds.slice(at).filter(counts).length;
  const entries = kinds.flatMap((kind, at): Entry[] => {
    if (kind === 'single') return [{ kind, at, axis: axisOf(at, isIn) }];
    if (kind !== 'range') return [];
    const [openStart, openEnd] = [mask('begin_mask', at), mask('end_mask', at)];
    return [{ kind, at, axis: axisOf(at, isIn), openStart, openEnd }];
  });
  const newAxes = kinds.flatMap((kind, at) => (kind === 'new' ? [axisOf(at, isOut)] : []));
  return { entries, newAxes };
}
