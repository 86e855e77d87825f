import { type Command, Option } from 'commander';
import { roles } from '../../src/domain/access.ts';
import type { RoleBinding } from '../../src/domain/tenancy.ts';
import { age } from '../text.ts';
import { type OpenContext, textOf } from './common.ts';
import { managedCommand } from './manage.ts';

const ofPlatform = (command: Command): boolean => command.getOptionValue('platform') === true;

export const roleBindingCommand = (open: OpenContext) =>
  managedCommand<RoleBinding>(
    'role-binding',
    {
      noun: 'role binding',
      summary: 'say who has which role on an organization or (with --project) a project',
      options: (command) => command.option('--platform', 'of the platform itself: its operators'),
      columns: [
        { header: 'PRINCIPAL', value: ({ principal }) => `${principal.kind} ${principal.name}` },
        { header: 'ROLE', value: ({ role }) => role },
        { header: 'PROJECT', value: ({ projectId }) => projectId ?? 'all', optional: true },
        { header: 'ID', value: ({ id }) => id },
        { header: 'AGE', value: ({ createdAt }, now) => age(createdAt, now) },
      ],
      list: (identity, limit, command) => identity.roleBindings(ofPlatform(command), limit),
      create: {
        prepare: (command) =>
          command
            .addOption(new Option('--role <role>', 'operator, with --platform, by default').choices(roles))
            .option('--user <email>', 'a user; one who is not known is invited')
            .option('--service-account <name>', 'a service account, by name or id'),
        run: (identity, command) =>
          identity.createRoleBinding(ofPlatform(command), {
            ...(ofPlatform(command) ? {} : { role: textOf(command, 'role') }),
            user: textOf(command, 'user'),
            serviceAccount: textOf(command, 'serviceAccount'),
          }),
      },
      delete: {
        verb: 'delete',
        argument: 'id',
        run: (identity, id, command) => identity.deleteRoleBinding(ofPlatform(command), id),
      },
    },
    open,
  );
