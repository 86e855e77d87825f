import type { Organization } from '../../src/domain/tenancy.ts';
import { age } from '../text.ts';
import type { OpenContext } from './common.ts';
import { managedCommand } from './manage.ts';

export const organizationCommand = (open: OpenContext) =>
  managedCommand<Organization>(
    'organization',
    {
      noun: 'organization',
      summary: 'list organizations; create and delete them (operators)',
      columns: [
        { header: 'NAME', value: ({ name }) => name },
        { header: 'ID', value: ({ id }) => id },
        { header: 'AGE', value: ({ createdAt }, now) => age(createdAt, now) },
      ],
      list: (identity, limit) => identity.organizations(limit),
      create: {
        prepare: (command) => command.argument('<name>'),
        run: (identity, command) => identity.createOrganization(command.args[0] ?? ''),
      },
      delete: {
        verb: 'delete',
        argument: 'name',
        run: (identity, reference) => identity.deleteOrganization(reference),
      },
    },
    open,
  );
