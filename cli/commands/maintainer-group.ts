import type { MaintainerGroup } from '../../src/domain/maintainer.ts';
import { type Column, table } from '../table.ts';
import { age } from '../text.ts';
import { apiCommand, type OpenContext, openSession } from './common.ts';
import { managedCommand } from './manage.ts';
import { bodyOf, list, text } from './options.ts';

const columns: readonly Column<MaintainerGroup>[] = [
  { header: 'NAME', value: ({ name }) => name },
  { header: 'MEMBERS', value: ({ members }) => members.map(({ email }) => email).join(' ') },
  { header: 'AGE', value: ({ createdAt }, now) => age(createdAt, now) },
  { header: 'DESCRIPTION', value: ({ description }) => description, optional: true },
];
const given = [
  text('description', '--description <text>', 'what they look after'),
  list('members', '--member <email>', 'a member of the organization; may be given again'),
];

export function maintainerGroupCommand(open: OpenContext) {
  const command = managedCommand<MaintainerGroup>(
    'maintainer-group',
    {
      noun: 'maintainer group',
      summary: 'list, create, show, change and delete groups of people that maintain resources',
      columns,
      list: (identity, limit) => identity.maintainerGroups(limit),
      create: {
        prepare: (create) => {
          for (const { option } of given) create.addOption(option);
          return create.argument('<name>');
        },
        run: (identity, create) =>
          identity.createMaintainerGroup({ name: create.args[0] ?? '', ...bodyOf(create, given) }),
        afterwards: (session, { name }) =>
          session.talk(`Give it a resource with: ${session.command(`vm update NAME --maintainer ${name}`)}`),
      },
      delete: {
        verb: 'delete',
        argument: 'name',
        run: (identity, reference) => identity.deleteMaintainerGroup(reference),
      },
    },
    open,
  );
  const get = apiCommand('get', 'show a maintainer group').argument('<name>', 'its name or id');
  get.action(async (reference: string) => {
    const session = await openSession(get, open);
    const group = await session.client.identity.maintainerGroup(reference);
    await session.show(group, () => table(columns, [group], Date.now()));
  });
  command.addCommand(get);
  for (const [verb, isIn, summary] of [
    ['add', true, 'add a member of the organization to a maintainer group'],
    ['remove', false, 'take somebody out of a maintainer group'],
  ] as const) {
    const change = apiCommand(verb, summary).argument('<name>', 'the group’s name or id').argument('<email>');
    change.action(async (reference: string, email: string) => {
      const session = await openSession(change, open);
      await session.client.identity.setMember(reference, email, isIn);
      session.talk(`${email} is ${isIn ? 'in' : 'no more in'} the maintainer group ${reference}.`);
    });
    command.addCommand(change);
  }
  return command;
}
