import type { GroupCount, Groups } from '@mhe/core';
import { type Command, Option } from 'commander';
import { groupCount } from './option-values.js';

/** The options that set the two dials. */
export interface GroupOptions {
  readonly groups?: GroupCount;
  readonly queryKeyGroups?: GroupCount;
  readonly valueGroups?: GroupCount;
}

/** Adds the options of the dials: one for both, or each its own. */
export function addGroupOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--groups <n>',
        'shared projections of MHE, both of queries and keys and of values: a number or "heads"',
      )
        .argParser(groupCount)
        .conflicts(['queryKeyGroups', 'valueGroups']),
    )
    .option('--query-key-groups <n>', 'shared projections of queries and keys (default: 1)', groupCount)
    .option('--value-groups <n>', 'shared projections of values (default: 1)', groupCount);
}

/** The dials: 1, the paper's MHE, where nothing was said. */
export function groupsFrom({ groups, queryKeyGroups, valueGroups }: GroupOptions): Groups {
  if (queryKeyGroups === undefined && valueGroups === undefined) return groups ?? 1;
  return { queryKey: queryKeyGroups ?? 1, value: valueGroups ?? 1 };
}
