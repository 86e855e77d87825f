import { Command } from 'commander';
import type { Address } from '../../src/domain/subnet.ts';
import type { Session } from '../session.ts';
import { type Column, table } from '../table.ts';
import { age } from '../text.ts';
import { apiCommand, limitOf, type OpenContext, openSession, withLimit } from './common.ts';
import { bodyOf, mandatoryText, text } from './options.ts';
import { showItems } from './show.ts';

export const addressCommand = (open: OpenContext): Command =>
  new Command('address')
    .description('reserve addresses')
    .addCommand(createCommand(open))
    .addCommand(listCommand(open))
    .addCommand(getCommand(open))
    .addCommand(deleteCommand(open));

const columns: readonly Column<Address>[] = [
  { header: 'NAME', value: ({ name }) => name },
  { header: 'ADDRESS', value: ({ address }) => address },
  { header: 'KIND', value: ({ kind }) => kind },
  { header: 'SUBNET', value: ({ subnet }) => subnet.name },
  { header: 'HOSTNAME', value: ({ hostname }) => hostname ?? '' },
  { header: 'AGE', value: ({ createdAt }, now) => age(createdAt, now) },
];

const named = (name: string, summary: string): Command =>
  apiCommand(name, summary).argument('<name>', 'its name or id');
const show = (session: Session, address: Address): Promise<void> =>
  session.show(address, () => table(columns, [address], Date.now()));

function createCommand(open: OpenContext): Command {
  const options = [
    mandatoryText('subnet', '--subnet <subnet>', 'the subnet that it is of'),
    text('address', '--address <address>', 'this very one; any that is free by default'),
    text('hostname', '--hostname <name>', 'the name that DNS has for it; its own by default'),
  ];
  const command = named('create', 'reserve an address, until it is deleted');
  for (const { option } of options) command.addOption(option);
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    await show(session, await session.client.addresses.createAddress({ name, ...bodyOf(command, options) }));
  });
}

function listCommand(open: OpenContext): Command {
  const command = withLimit(apiCommand('list', 'list the reserved addresses, oldest first'));
  return command.action(async () => {
    const session = await openSession(command, open);
    const items = await session.client.addresses.addresses(limitOf(command));
    await showItems(session, items, columns, 'No reserved addresses in this project.');
  });
}

function getCommand(open: OpenContext): Command {
  const command = named('get', 'show a reserved address');
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    await show(session, await session.client.addresses.address(name));
  });
}

function deleteCommand(open: OpenContext): Command {
  const command = named('delete', 'give a reserved address back');
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    await session.client.addresses.deleteAddress(name);
    session.talk(`Address "${name}" is given back.`);
  });
}
