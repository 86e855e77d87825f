import type { OpenContext } from './common.ts';
import { mandatoryText } from './options.ts';
import { resourceCommand } from './resource.ts';

export const bucketCommand = (open: OpenContext) =>
  resourceCommand(
    {
      kind: 'bucket',
      noun: 'bucket',
      options: [],
      acts: {
        'create-key': [mandatoryText('key', '--key <key>', 'what the access key is to be called')],
        'revoke-key': [mandatoryText('key', '--key <key>', 'one of this bucket')],
      },
      columns: [
        { header: 'ENDPOINT', value: ({ endpoint }) => endpoint ?? '' },
        { header: 'KEYS', value: ({ keys }) => keys.map(({ name }) => name).join(' '), optional: true },
      ],
    },
    open,
  );
