import type { Project } from '../../src/domain/tenancy.ts';
import { age } from '../text.ts';
import type { OpenContext } from './common.ts';
import { managedCommand } from './manage.ts';

export const projectCommand = (open: OpenContext) =>
  managedCommand<Project>(
    'project',
    {
      noun: 'project',
      summary: 'list, create and delete projects',
      columns: [
        { header: 'NAME', value: ({ name }) => name },
        { header: 'ORGANIZATION', value: ({ organization }) => organization.name },
        { header: 'ID', value: ({ id }) => id },
        { header: 'AGE', value: ({ createdAt }, now) => age(createdAt, now) },
      ],
      list: (identity, limit) => identity.projects(limit),
      create: {
        prepare: (command) => command.argument('<name>'),
        run: (identity, command) => identity.createProject(command.args[0] ?? ''),
      },
      delete: { verb: 'delete', argument: 'name', run: (identity, reference) => identity.deleteProject(reference) },
    },
    open,
  );
