import type { User } from '../../src/domain/tenancy.ts';
import { age } from '../text.ts';
import { type OpenContext, textOf } from './common.ts';
import { managedCommand } from './manage.ts';

export const userCommand = (open: OpenContext) =>
  managedCommand<User>(
    'user',
    {
      noun: 'user',
      summary: 'list, invite and delete users (operators)',
      columns: [
        { header: 'EMAIL', value: ({ email }) => email ?? '' },
        { header: 'NAME', value: ({ name }) => name },
        { header: 'SEEN', value: ({ subject }) => (subject === null ? 'not yet' : 'yes') },
        { header: 'ID', value: ({ id }) => id },
        { header: 'AGE', value: ({ createdAt }, now) => age(createdAt, now) },
      ],
      list: (identity, limit) => identity.users(limit),
      create: {
        prepare: (command) => command.argument('<email>').option('--name <name>', 'how the person is called'),
        run: (identity, command) => identity.createUser(command.args[0] ?? '', textOf(command, 'name')),
      },
      delete: { verb: 'delete', argument: 'email', run: (identity, reference) => identity.deleteUser(reference) },
    },
    open,
  );
