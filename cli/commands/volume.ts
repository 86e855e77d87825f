import type { OpenContext } from './common.ts';
import { mandatoryCount } from './options.ts';
import { resourceCommand } from './resource.ts';

export const volumeCommand = (open: OpenContext) =>
  resourceCommand(
    {
      kind: 'volume',
      noun: 'volume',
      options: [mandatoryCount('sizeGib', '--size-gib <GiB>', 'its size')],
      columns: [{ header: 'SIZE', value: ({ sizeGib }) => `${sizeGib}GiB` }],
    },
    open,
  );
