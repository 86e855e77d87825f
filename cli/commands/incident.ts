import { Command, Option } from 'commander';
import { type Incident, incidentStates } from '../../src/domain/incident.ts';
import type { Column } from '../table.ts';
import { age, took } from '../text.ts';
import { apiCommand, limitOf, type OpenContext, openSession, textOf, withLimit } from './common.ts';
import { showItems } from './show.ts';

const columns: readonly Column<Incident>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'KIND', value: ({ kind }) => kind },
  { header: 'STATE', value: ({ state }) => state },
  { header: 'RESOURCE', value: ({ resource }) => `${resource.kind} ${resource.name}` },
  { header: 'JOB', value: ({ jobId }) => jobId ?? '' },
  { header: 'AGE', value: ({ openedAt }, now) => age(openedAt, now) },
  { header: 'TOOK', value: ({ openedAt, resolvedAt }, now) => took(openedAt, resolvedAt, now) },
  { header: 'BY', value: ({ acknowledgedBy }) => acknowledgedBy ?? '', optional: true },
  { header: 'NOTE', value: ({ note }) => note ?? '', optional: true },
  { header: 'SUMMARY', value: ({ summary }) => summary },
];

export function incidentCommand(open: OpenContext): Command {
  const command = withLimit(apiCommand('list', 'list incidents, newest first')).addOption(
    new Option('--state <state>', 'only those in this state').choices(incidentStates),
  );
  command.option('--all', 'of the platform and of all projects: for operators').action(async () => {
    const session = await openSession(command, open);
    const filter = { state: textOf(command, 'state') };
    const { client } = session;
    const items = isAll(command)
      ? await client.allIncidents(filter, limitOf(command))
      : await client.incidents(filter, limitOf(command));
    await showItems(session, items, columns, 'No such incidents in this project.');
  });
  return new Command('incident')
    .description('see what is late, waits for a decision, is nearly full, or not as it should be')
    .addCommand(command)
    .addCommand(acknowledgeCommand(open));
}

function acknowledgeCommand(open: OpenContext): Command {
  const command = apiCommand('acknowledge', 'say that somebody sees to it: it is not told of again')
    .argument('<id>', 'the incident')
    .requiredOption('--note <note>', 'what is being done about it, or why nothing needs to be')
    .option('--all', 'one of the platform, or of any project: for operators');
  return command.action(async (id: string) => {
    const session = await openSession(command, open);
    const of = isAll(command) ? 'any' : 'project';
    const incident = await session.client.acknowledge(id, textOf(command, 'note') ?? '', of);
    await showItems(session, [incident], columns, 'No such incident.');
  });
}

const isAll = (command: Command): boolean => command.getOptionValue('all') === true;
