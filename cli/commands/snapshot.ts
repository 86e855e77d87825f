import type { OpenContext } from './common.ts';
import { mandatoryText } from './options.ts';
import { resourceCommand } from './resource.ts';

export const snapshotCommand = (open: OpenContext) =>
  resourceCommand(
    {
      kind: 'snapshot',
      noun: 'snapshot',
      options: [mandatoryText('volume', '--volume <volume>', 'the volume whose content it keeps')],
      columns: [
        { header: 'SIZE', value: ({ sizeGib }) => `${sizeGib}GiB` },
        { header: 'VOLUME', value: ({ volume }) => volume?.name ?? '' },
      ],
    },
    open,
  );
