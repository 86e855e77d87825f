import { Command } from 'commander';
import type { Elevation, HostGroup, Rack } from '../../src/domain/rack.ts';
import type { Session } from '../session.ts';
import { type Column, table } from '../table.ts';
import { age } from '../text.ts';
import { apiCommand, limitOf, type OpenContext, openSession, withLimit } from './common.ts';
import { bodyOf, count, mandatoryCount, mandatoryText } from './options.ts';
import { showItems } from './show.ts';

const rackColumns: readonly Column<Rack>[] = [
  { header: 'NAME', value: ({ name }) => name },
  { header: 'REGION', value: ({ region }) => region },
  { header: 'UNITS', value: ({ heightUnits }) => String(heightUnits) },
  { header: 'AGE', value: ({ createdAt }, now) => age(createdAt, now) },
];
const unitColumns: readonly Column<Elevation['units'][number]>[] = [
  { header: 'UNIT', value: ({ unit }) => String(unit) },
  { header: 'HOST', value: ({ host }) => host?.name ?? '' },
  { header: 'STATUS', value: ({ host }) => host?.status ?? '' },
  { header: 'POWER', value: ({ host }) => host?.power ?? '' },
  { header: 'MAINTENANCE', value: ({ host }) => host?.maintenance ?? '', optional: true },
  { header: 'REPAIR', value: ({ host }) => host?.repair ?? '', optional: true },
];
const groupColumns: readonly Column<HostGroup>[] = [
  { header: 'NAME', value: ({ name }) => name },
  { header: 'HOSTS', value: ({ hosts }) => hosts.map(({ name }) => name).join(' ') },
  { header: 'AGE', value: ({ createdAt }, now) => age(createdAt, now) },
];

/** A host of the project meant, by its name or id. */
const hostId = async ({ client }: Session, reference: string): Promise<string> =>
  (await client.get('bare-metal-host', reference)).id;

/** A command with these arguments, that does something and says so. */
function doing(
  open: OpenContext,
  [name, summary, ...args]: readonly [string, string, ...string[]],
  run: (session: Session, args: readonly string[], command: Command) => Promise<string>,
): Command {
  const command = args.reduce((made, argument) => made.argument(`<${argument}>`), apiCommand(name, summary));
  return command.action(async () => {
    const session = await openSession(command, open);
    session.talk(await run(session, command.args, command));
  });
}

export function rackCommand(open: OpenContext): Command {
  const list = withLimit(apiCommand('list', 'list racks, oldest first'));
  list.action(async () => {
    const session = await openSession(list, open);
    await showItems(session, await session.client.racks.racks(limitOf(list)), rackColumns, 'No racks.');
  });
  const options = [
    mandatoryText('region', '--region <region>', 'where it stands'),
    count('heightUnits', '--height-units <units>', 'how many units it has; 42 where it is left out'),
  ];
  const create = apiCommand('create', 'create a rack').argument('<name>', 'its name');
  for (const { option } of options) create.addOption(option);
  create.action(async (name: string) => {
    const session = await openSession(create, open);
    const rack = await session.client.racks.create({ name, ...bodyOf(create, options) });
    await session.show(rack, () => table(rackColumns, [rack], Date.now()));
  });
  const show = apiCommand('show', 'show what stands in each unit of a rack').argument('<rack>', 'its name or id');
  show.action(async (rack: string) => {
    const session = await openSession(show, open);
    const elevation = await session.client.racks.elevation(rack);
    await session.show(elevation, () => table(unitColumns, elevation.units, Date.now()));
  });
  const where = [
    mandatoryCount('unit', '--unit <unit>', 'the lowest that it fills, counted from 1 at the foot'),
    count('heightUnits', '--height-units <units>', 'how many it fills; 1 where it is left out'),
  ];
  const place = doing(open, ['place', 'put a host into a rack', 'rack', 'host'], async (session, args, command) => {
    const [rack = '', host = ''] = args;
    const { unit = 0, heightUnits = 1 }: { unit?: number; heightUnits?: number } = bodyOf(command, where);
    await session.client.racks.place(rack, await hostId(session, host), { unit, heightUnits });
    return `The host ${host} stands in ${rack}, from unit ${unit} on.`;
  });
  for (const { option } of where) place.addOption(option);
  return new Command('rack')
    .description('where bare-metal hosts stand (operators)')
    .addCommand(list)
    .addCommand(create)
    .addCommand(show)
    .addCommand(place)
    .addCommand(
      doing(open, ['remove', 'take a host out of a rack', 'rack', 'host'], async (session, [rack = '', host = '']) => {
        await session.client.racks.remove(rack, await hostId(session, host));
        return `The host ${host} stands in ${rack} no more.`;
      }),
    )
    .addCommand(
      doing(open, ['delete', 'delete a rack that is empty', 'rack'], async (session, [rack = '']) => {
        await session.client.racks.delete(rack);
        return `The rack ${rack} is deleted.`;
      }),
    );
}

export function hostGroupCommand(open: OpenContext): Command {
  const list = withLimit(apiCommand('list', 'list groups of hosts, oldest first'));
  list.action(async () => {
    const session = await openSession(list, open);
    await showItems(session, await session.client.racks.groups(limitOf(list)), groupColumns, 'No groups of hosts.');
  });
  const create = apiCommand('create', 'create a group of hosts').argument('<name>', 'its name');
  create.action(async (name: string) => {
    const session = await openSession(create, open);
    const group = await session.client.racks.createGroup(name);
    await session.show(group, () => table(groupColumns, [group], Date.now()));
  });
  const member = (verb: string, summary: string, isIn: boolean) =>
    doing(open, [verb, summary, 'group', 'host'], async (session, [group = '', host = '']) => {
      await session.client.racks.setMember(group, await hostId(session, host), isIn);
      return `The host ${host} is ${isIn ? 'in' : 'not in'} the group ${group}.`;
    });
  return new Command('host-group')
    .description('groups of bare-metal hosts (operators)')
    .addCommand(list)
    .addCommand(create)
    .addCommand(member('add', 'add a host to a group', true))
    .addCommand(member('remove', 'take a host out of a group', false))
    .addCommand(
      doing(open, ['delete', 'delete a group, and none of its hosts', 'group'], async (session, [group = '']) => {
        await session.client.racks.deleteGroup(group);
        return `The group ${group} is deleted.`;
      }),
    );
}
