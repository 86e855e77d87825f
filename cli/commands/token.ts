import { type Command, Option } from 'commander';
import { roles } from '../../src/domain/access.ts';
import type { NewToken, Token } from '../../src/domain/tenancy.ts';
import { age } from '../text.ts';
import { type OpenContext, textOf, wholeNumber } from './common.ts';
import { managedCommand } from './manage.ts';

const account = (command: Command): string | undefined => textOf(command, 'serviceAccount');
const dayMs = 86_400_000;

export const tokenCommand = (open: OpenContext) =>
  managedCommand<Token | NewToken>(
    'token',
    {
      noun: 'token',
      summary: "list, create and revoke one's own tokens, or a service account's",
      options: (command) => command.option('--service-account <name>', 'a service account’s, by name or id'),
      columns: [
        { header: 'NAME', value: ({ name }) => name },
        { header: 'ROLE', value: ({ role }) => role },
        {
          header: 'PROJECT',
          value: ({ projectId, projectOnly }) => (projectOnly ? (projectId ?? '') : 'all'),
          optional: true,
        },
        { header: 'ID', value: ({ id }) => id },
        { header: 'AGE', value: ({ createdAt }, now) => age(createdAt, now) },
        { header: 'EXPIRES', value: ({ expiresAt }) => expiresAt ?? 'never' },
        { header: 'TOKEN', value: (token) => ('token' in token ? token.token : ''), optional: true },
      ],
      list: (identity, limit, command) => identity.tokens(account(command), limit),
      create: {
        prepare: (command) =>
          command
            .argument('<name>')
            .addOption(new Option('--role <role>', 'the most that it lets through').choices(roles))
            .option('--only-project <project>', 'the one project that it is for')
            .option('--expires-in-days <days>', '90 by default', wholeNumber),
        run: (identity, command) => {
          const days: unknown = command.getOptionValue('expiresInDays');
          return identity.createToken(account(command), {
            name: command.args[0] ?? '',
            role: textOf(command, 'role'),
            project: textOf(command, 'onlyProject'),
            ...(typeof days === 'number' ? { expiresAt: new Date(Date.now() + days * dayMs).toISOString() } : {}),
          });
        },
        afterwards: (session) => session.talk('The token is shown this once: keep it now.'),
      },
      delete: {
        verb: 'revoke',
        argument: 'id',
        run: (identity, id, command) => identity.revokeToken(account(command), id),
      },
    },
    open,
  );
