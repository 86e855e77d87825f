import { Command, InvalidArgumentError, Option } from 'commander';
import type { AssignmentView, Subnet } from '../../src/domain/subnet.ts';
import type { Session } from '../session.ts';
import { type Column, table } from '../table.ts';
import { age } from '../text.ts';
import { apiCommand, limitOf, type OpenContext, openSession, textOf, wholeNumber, withLimit } from './common.ts';
import { bodyOf, type CreateOption, count, list, mandatoryText, text } from './options.ts';
import { showItems } from './show.ts';

export const subnetCommand = (open: OpenContext): Command =>
  new Command('subnet')
    .description('manage the blocks of addresses of networks')
    .addCommand(createCommand(open))
    .addCommand(listCommand(open))
    .addCommand(getCommand(open))
    .addCommand(addressesCommand(open))
    .addCommand(growCommand(open))
    .addCommand(splitCommand(open))
    .addCommand(deleteCommand(open));

const columns: readonly Column<Subnet>[] = [
  { header: 'NAME', value: ({ name }) => name },
  { header: 'NETWORK', value: ({ network }) => network.name },
  { header: 'CIDR', value: ({ cidr }) => cidr },
  { header: 'GATEWAY', value: ({ gateway }) => gateway ?? '' },
  { header: 'USED', value: ({ use }) => String(use.used) },
  { header: 'FREE', value: ({ use }) => String(use.free) },
  { header: 'QUARANTINED', value: ({ use }) => (use.quarantined > 0 ? String(use.quarantined) : ''), optional: true },
  { header: 'USE', value: ({ use }) => `${use.percent} %` },
  { header: 'VRF', value: ({ vrf }) => vrf ?? '', optional: true },
];

const assignedColumns: readonly Column<AssignmentView>[] = [
  { header: 'ADDRESS', value: ({ address }) => address },
  { header: 'KIND', value: ({ kind }) => kind },
  { header: 'OWNER', value: ({ owner }) => `${owner.kind} ${owner.name}` },
  { header: 'HOSTNAME', value: ({ hostname }) => hostname ?? '' },
  { header: 'AGE', value: ({ assignedAt }, now) => age(assignedAt, now) },
  { header: 'QUARANTINE UNTIL', value: ({ quarantineUntil }) => quarantineUntil ?? '', optional: true },
];

const named = (name: string, summary: string): Command =>
  apiCommand(name, summary).argument('<name>', 'its name or id');
const show = (session: Session, subnet: Subnet): Promise<void> =>
  session.show(subnet, () => table(columns, [subnet], Date.now()));

interface Range {
  readonly from: string;
  readonly to: string;
}
/** `10.0.0.4-10.0.0.9`, or one address. */
function rangeOf(value: string): Range {
  const [from, to = from, ...more] = value.split('-');
  if (!from || !to || more.length > 0) throw new InvalidArgumentError('It must have the form first-last.');
  return { from, to };
}

const options: readonly CreateOption[] = [
  mandatoryText('network', '--network <network>', 'the network that it is part of'),
  mandatoryText('cidr', '--cidr <block>', 'its addresses, like 10.20.0.0/24'),
  text('gateway', '--gateway <address>', 'the first address after the base by default'),
  {
    field: 'reserved',
    option: new Option('--reserve <first-last>', 'addresses that nobody gets; may be given again').argParser(
      (value, before: readonly Range[] = []) => [...before, rangeOf(value)],
    ),
  },
  {
    field: 'dynamicRange',
    option: new Option('--dynamic <first-last>', 'what is given to who asks for any address').argParser(rangeOf),
  },
  list('dnsServers', '--dns <address>', 'a DNS server of its hosts; may be given again'),
  text('domain', '--domain <domain>', 'the DNS domain of its hosts'),
  count('leaseSeconds', '--lease <seconds>', 'how long DHCP lends an address'),
  count('quarantineSeconds', '--quarantine <seconds>', 'how long an address that was given back is given to nobody'),
];

function createCommand(open: OpenContext): Command {
  const command = named('create', 'add a subnet to a network');
  for (const { option } of options) command.addOption(option);
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    await show(session, await session.client.addresses.createSubnet({ name, ...bodyOf(command, options) }));
  });
}

function listCommand(open: OpenContext): Command {
  const command = withLimit(apiCommand('list', 'list subnets and how far they are used, oldest first')).option(
    '--network <network>',
    'only those of this network',
  );
  return command.action(async () => {
    const session = await openSession(command, open);
    const items = await session.client.addresses.subnets(textOf(command, 'network'), limitOf(command));
    await showItems(session, items, columns, 'No subnets in this project.');
  });
}

function getCommand(open: OpenContext): Command {
  const command = named('get', 'show a subnet');
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    await show(session, await session.client.addresses.subnet(name));
  });
}

function addressesCommand(open: OpenContext): Command {
  const command = withLimit(named('addresses', 'list who has which address of a subnet'));
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    const items = await session.client.addresses.assigned(name, limitOf(command));
    await showItems(session, items, assignedColumns, 'Nobody has an address of this subnet.');
  });
}

const mandatoryNumber = (flags: string, description: string): Option =>
  new Option(flags, description).argParser(wholeNumber).makeOptionMandatory();

function growCommand(open: OpenContext): Command {
  const command = named('grow', 'make a subnet larger').addOption(
    mandatoryNumber('--prefix <length>', 'the length of its prefix: shorter than it is'),
  );
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    await show(session, await session.client.addresses.grow(name, Number(command.getOptionValue('prefix'))));
  });
}

function splitCommand(open: OpenContext): Command {
  const command = named('split', 'split a subnet into equal parts').addOption(
    mandatoryNumber('--parts <count>', 'how many: a power of two'),
  );
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    const parts = await session.client.addresses.split(name, Number(command.getOptionValue('parts')));
    await showItems(session, parts, columns, '');
  });
}

function deleteCommand(open: OpenContext): Command {
  const command = named('delete', 'delete a subnet in which nobody has an address');
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    await session.client.addresses.deleteSubnet(name);
    session.talk(`Subnet "${name}" is deleted.`);
  });
}
