import { Command, Option } from 'commander';
import type { ComputeHost } from '../../src/domain/compute-host.ts';
import type { VmPlacement } from '../../src/domain/placement.ts';
import { type Column, table } from '../table.ts';
import { age, mebibytes } from '../text.ts';
import { apiCommand, limitOf, type OpenContext, openSession, withLimit } from './common.ts';
import { bodyOf, count, countFromNone, decimal, labels, list, mandatoryCount, mandatoryText, text } from './options.ts';
import { showItems } from './show.ts';

const columns: readonly Column<ComputeHost>[] = [
  { header: 'NAME', value: ({ name }) => name },
  { header: 'REGION', value: ({ region }) => region },
  { header: 'RACK', value: ({ rack }) => rack ?? '', optional: true },
  { header: 'GROUPS', value: ({ groups }) => groups.join(' '), optional: true },
  { header: 'VCPUS', value: ({ used, vcpus, cpuRatio }) => `${used.vcpus}/${Math.floor(vcpus * cpuRatio)}` },
  { header: 'MEMORY', value: ({ used, memoryMib }) => `${mebibytes(used.memoryMib)}/${mebibytes(memoryMib)}` },
  { header: 'DISK', value: ({ used, diskGib }) => `${used.diskGib}/${diskGib}GiB` },
  { header: 'GPUS', value: ({ used, gpus }) => (gpus > 0 ? `${used.gpus}/${gpus}` : ''), optional: true },
  { header: 'VMS', value: ({ vms }) => String(vms) },
  { header: 'MAINTENANCE', value: ({ maintenance }) => maintenance ?? '', optional: true },
  { header: 'AGE', value: ({ createdAt }, now) => age(createdAt, now) },
];

const changeable = [
  countFromNone('gpus', '--gpus <count>', 'GPUs'),
  decimal('cpuRatio', '--cpu-ratio <times>', 'how many vCPUs go onto one of its own, like 1.5'),
  text('rack', '--rack <rack>', 'the rack that it stands in'),
  list('groups', '--group <group>', 'a host group that it is in; may be given again'),
  labels('labels', '--label <key=value>', 'a label; may be given again'),
  text('maintenance', '--maintenance <reason>', 'why nothing new is placed on it'),
];
const createOptions = [
  mandatoryText('region', '--region <region>', 'where it stands'),
  text('provider', '--provider <provider>', 'whose it is; may be left out where the region has one'),
  mandatoryCount('vcpus', '--vcpus <count>', 'virtual processors'),
  mandatoryCount('memoryMib', '--memory-mib <MiB>', 'memory'),
  mandatoryCount('diskGib', '--disk-gib <GiB>', 'disk'),
  ...changeable,
];
const updateOptions = [
  count('vcpus', '--vcpus <count>', 'virtual processors'),
  count('memoryMib', '--memory-mib <MiB>', 'memory'),
  count('diskGib', '--disk-gib <GiB>', 'disk'),
  ...changeable,
];

export function computeHostCommand(open: OpenContext): Command {
  const list = withLimit(apiCommand('list', 'list compute hosts, oldest first'));
  list.action(async () => {
    const session = await openSession(list, open);
    await showItems(session, await session.client.computeHosts.hosts(limitOf(list)), columns, 'No compute hosts.');
  });
  const create = apiCommand('create', 'add a compute host').argument('<name>', 'its name');
  for (const { option } of createOptions) create.addOption(option);
  create.action(async (name: string) => {
    const session = await openSession(create, open);
    const host = await session.client.computeHosts.create({ name, ...bodyOf(create, createOptions) });
    await session.show(host, () => table(columns, [host], Date.now()));
  });
  const get = apiCommand('get', 'show a compute host').argument('<host>', 'its name or id');
  get.action(async (reference: string) => {
    const session = await openSession(get, open);
    const host = await session.client.computeHosts.get(reference);
    await session.show(host, () => table(columns, [host], Date.now()));
  });
  const update = apiCommand('update', 'change a compute host').argument('<host>', 'its name or id');
  for (const { option } of updateOptions) update.addOption(option);
  update.addOption(new Option('--end-maintenance', 'let VMs be placed on it again').conflicts('maintenance'));
  update.action(async (reference: string) => {
    const session = await openSession(update, open);
    const ends = update.getOptionValue('endMaintenance') === true ? { maintenance: null } : {};
    const host = await session.client.computeHosts.update(reference, { ...bodyOf(update, updateOptions), ...ends });
    await session.show(host, () => table(columns, [host], Date.now()));
  });
  const remove = apiCommand('delete', 'delete a compute host that is empty').argument('<host>', 'its name or id');
  remove.action(async (reference: string) => {
    const session = await openSession(remove, open);
    await session.client.computeHosts.delete(reference);
    session.talk(`The compute host ${reference} is deleted.`);
  });
  const explain = apiCommand('explain', 'explain why a VM stands on its host').argument('<vm>', 'its name or id');
  explain.action(async (reference: string) => {
    const session = await openSession(explain, open);
    const { id } = await session.client.get('vm', reference);
    const placement = await session.client.computeHosts.placement(id);
    await session.show(placement, () => explained(placement));
  });
  return new Command('compute-host')
    .description('machines that VMs are placed on (operators)')
    .addCommand(list)
    .addCommand(create)
    .addCommand(get)
    .addCommand(update)
    .addCommand(remove)
    .addCommand(explain);
}

type Best = VmPlacement['explanation']['best'][number];
const bestColumns: readonly Column<Best>[] = [
  { header: 'HOST', value: ({ host }) => host },
  { header: 'RACK', value: ({ rack }) => rack ?? '', optional: true },
  { header: 'SCORE', value: ({ score }) => score.toFixed(3) },
  {
    header: 'PARTS',
    value: ({ parts }) =>
      Object.entries(parts)
        .map(([part, value]) => `${part}=${value}`)
        .join(' '),
  },
];

function explained({ vm, host, placedAt, explanation: { candidates, removed, remaining, best } }: VmPlacement): string {
  const rack = host.rack === null ? '' : ` in rack ${host.rack}`;
  const counts = removed.map(({ filter, count }) => `  ${filter} removed ${count}`);
  return [
    `${vm.name} stands on ${host.name}${rack} since ${placedAt}.`,
    `Of ${candidates} hosts ${remaining} remained${counts.length > 0 ? ':' : '.'}`,
    ...counts,
    'The best of them:',
    table(bestColumns, best, Date.now()),
  ].join('\n');
}
