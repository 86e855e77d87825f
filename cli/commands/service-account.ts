import type { ServiceAccount } from '../../src/domain/tenancy.ts';
import { age } from '../text.ts';
import type { OpenContext } from './common.ts';
import { managedCommand } from './manage.ts';

export const serviceAccountCommand = (open: OpenContext) =>
  managedCommand<ServiceAccount>(
    'service-account',
    {
      noun: 'service account',
      summary: 'list, create and delete service accounts, of an organization or (with --project) of a project',
      columns: [
        { header: 'NAME', value: ({ name }) => name },
        { header: 'ID', value: ({ id }) => id },
        { header: 'PROJECT', value: ({ projectId }) => projectId ?? '', optional: true },
        { header: 'AGE', value: ({ createdAt }, now) => age(createdAt, now) },
      ],
      list: (identity, limit) => identity.serviceAccounts(limit),
      create: {
        prepare: (command) => command.argument('<name>'),
        run: (identity, command) => identity.createServiceAccount(command.args[0] ?? ''),
        afterwards: (session, { name }) =>
          session.talk(
            `Give it a role with: ${session.command(`role-binding create --role member --service-account ${name}`)}`,
          ),
      },
      delete: {
        verb: 'delete',
        argument: 'name',
        run: (identity, reference) => identity.deleteServiceAccount(reference),
      },
    },
    open,
  );
