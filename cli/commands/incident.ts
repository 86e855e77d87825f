import { Command, Option } from 'commander';
import type { Incident } from '../../src/domain/incident.ts';
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
  { header: 'SUMMARY', value: ({ summary }) => summary },
];

export function incidentCommand(open: OpenContext): Command {
  const command = withLimit(apiCommand('list', 'list incidents, newest first')).addOption(
    new Option('--state <state>', 'only those in this state').choices(['open', 'resolved']),
  );
  command.action(async () => {
    const session = await openSession(command, open);
    const items = await session.client.incidents({ state: textOf(command, 'state') }, limitOf(command));
    await showItems(session, items, columns, 'No such incidents in this project.');
  });
  return new Command('incident')
    .description('see what is late, waits for a decision, or is nearly full')
    .addCommand(command);
}
