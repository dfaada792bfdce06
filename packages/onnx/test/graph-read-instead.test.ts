import { expect, it } from 'vitest';
import { capturedNames } from '../src/graph/captures.js';
import { readInstead } from '../src/graph/read-instead.js';
import { floats, graph, node, value } from './graph-builder.js';

const names = new Map([['x', 'y']]);

it('reads another value as an input, and leaves other nodes as they are', () => {
  expect(readInstead(node('Add', ['x', 'w'], ['sum']), names).input).toEqual(['y', 'w']);
  const other = node('Add', ['z', 'w'], ['sum']);
  expect(readInstead(other, names)).toBe(other);
});

it('reads it in nested graphs too, but where a value there has that name', () => {
  const deep = graph({ node: [node('Neg', ['x'], ['a'])], output: [value('a')] });
  const branches = {
    then_branch: graph({ node: [node('If', ['yes'], ['b'], { then_branch: deep })], output: [value('b')] }),
    else_branch: graph({
      node: [node('Exp', ['x'], ['c'])],
      output: [value('c')],
      initializer: [floats('x', [1], [1])],
    }),
  };
  const changed = readInstead(node('If', ['x'], ['out'], branches), names);
  expect(changed.input).toEqual(['y']);
  expect(capturedNames(changed)).toEqual(['yes', 'y']);
  expect(changed.attribute[1]?.g?.node[0]?.input).toEqual(['x']);
  expect(branches.then_branch.node[0]?.attribute[0]?.g?.node[0]?.input).toEqual(['x']);
});

it('hands on another value out of a nested graph', () => {
  const branch = graph({ output: [value('x')] });
  const [then] = readInstead(node('If', ['yes'], ['out'], { then_branch: branch }), names).attribute;
  expect(then?.g?.output.map(({ name }) => name)).toEqual(['y']);
});
