import type { OpenContext } from './common.ts';
import { mandatoryCount, mandatoryText } from './options.ts';
import { resourceCommand } from './resource.ts';

export const volumeCommand = (open: OpenContext) =>
  resourceCommand(
    {
      kind: 'volume',
      noun: 'volume',
      options: [mandatoryCount('sizeGib', '--size-gib <GiB>', 'its size')],
      acts: {
        attach: [mandatoryText('vm', '--vm <vm>', 'the VM that is to have it')],
        restore: [mandatoryText('snapshot', '--snapshot <snapshot>', 'one of this volume')],
        grow: [mandatoryCount('sizeGib', '--size-gib <GiB>', 'its new size, larger than before')],
      },
      columns: [
        { header: 'SIZE', value: ({ sizeGib }) => `${sizeGib}GiB` },
        { header: 'VM', value: ({ attachedTo }) => attachedTo?.name ?? '', optional: true },
      ],
    },
    open,
  );
