import type { OpenContext } from './common.ts';
import { mandatoryText } from './options.ts';
import { resourceCommand } from './resource.ts';

export const networkCommand = (open: OpenContext) =>
  resourceCommand(
    {
      kind: 'network',
      noun: 'network',
      options: [mandatoryText('cidr', '--cidr <block>', 'its addresses, like 10.20.0.0/24')],
      columns: [{ header: 'CIDR', value: ({ cidr }) => cidr }],
    },
    open,
  );
