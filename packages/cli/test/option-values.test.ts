import { describe, expect, it } from 'vitest';
import { groupsFrom } from '../src/commands/group-options.js';
import { siteSelection } from '../src/commands/option-values.js';

const layer0 = '/encoder/layer.0/attention/Softmax';
const layer10 = '/encoder/layer.10/attention/Softmax';

/** Which of the two names a selection takes. */
function taken(value: string): string[] {
  const selection = siteSelection(value);
  if (!(selection instanceof RegExp)) throw new Error(`${value} is no pattern`);
  return [layer0, layer10].filter((name) => selection.test(name));
}

describe('--sites', () => {
  it('takes numbers and ranges', () => {
    expect(siteSelection('all')).toBe('all');
    expect(siteSelection('3')).toEqual([3]);
    expect(siteSelection('0,2-4')).toEqual([0, 2, 3, 4]);
    expect(siteSelection(' 1 , 5 - 6 ')).toEqual([1, 5, 6]);
  });

  it('takes names, whole, with * and ?, and every other character as it is', () => {
    expect(taken(layer0)).toEqual([layer0]);
    expect(taken('layer.0')).toEqual([]);
    expect(taken('*layer.0*')).toEqual([layer0]);
    expect(taken('*layer.?/*')).toEqual([layer0]);
    expect(taken('*layer?1*')).toEqual([layer10]);
    expect(taken('*layer.1*')).toEqual([layer10]);
    expect(taken('*layer+1*')).toEqual([]);
  });

  it('takes regular expressions between slashes', () => {
    expect(taken('/layer\\.\\d\\//')).toEqual([layer0]);
    expect(taken('/LAYER/')).toEqual([]);
    expect(taken('/LAYER/i')).toEqual([layer0, layer10]);
  });

  it('gives the same answer to the same name again', () => {
    const selection = siteSelection('/layer/i') as RegExp;
    expect([selection.test(layer0), selection.test(layer0)]).toEqual([true, true]);
  });

  it.each([
    ['4-2', /"4-2" is no site number or range/],
    ['1,,2', /"" is no site number/],
    ['-1', /"-1" is no site number/],
    ['0-99999999', /no site number or range/],
    ['/(/', /Invalid regular expression/],
    ['/layer/g', /with the flags "g", and only i is taken: \/layer\/ or \/layer\/i\. .* write \*layer\/g\./],
    ['/layer/gi', /only i is taken/],
  ])('refuses %s', (value, message) => {
    expect(() => siteSelection(value)).toThrow(message);
  });
});

describe('the dials', () => {
  it('are 1 where nothing is said', () => {
    expect(groupsFrom({})).toBe(1);
    expect(groupsFrom({ groups: 'heads' })).toBe('heads');
    expect(groupsFrom({ queryKeyGroups: 4 })).toEqual({ queryKey: 4, value: 1 });
    expect(groupsFrom({ valueGroups: 'heads' })).toEqual({ queryKey: 1, value: 'heads' });
  });
});
