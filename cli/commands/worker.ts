import type { Command } from 'commander';
import type { Worker } from '../../src/domain/operations.ts';
import type { Column } from '../table.ts';
import { age } from '../text.ts';
import { apiCommand, type OpenContext, openSession } from './common.ts';
import { showItems } from './show.ts';

const columns: readonly Column<Worker>[] = [
  { header: 'ROLE', value: ({ role }) => role },
  { header: 'REGION', value: ({ region }) => region ?? '' },
  { header: 'STATUS', value: ({ status }) => status },
  { header: 'BUSY', value: ({ activitiesUnderWay }) => String(activitiesUnderWay) },
  { header: 'VERSION', value: ({ version }) => version },
  { header: 'DRIVERS', value: ({ drivers }) => drivers.join(',') },
  { header: 'HOST', value: ({ host }) => host },
  { header: 'PID', value: ({ processId }) => String(processId) },
  { header: 'AGE', value: ({ startedAt }, now) => age(startedAt, now) },
  { header: 'HEARTBEAT', value: ({ heartbeatAt }, now) => age(heartbeatAt, now) },
];

/** Belongs beside the commands that run a worker. */
export function workerListCommand(open: OpenContext): Command {
  const list = apiCommand('list', 'list the workers: what each is, what it can do, and its last heartbeat');
  return list.action(async () => {
    const session = await openSession(list, open);
    await showItems(session, await session.client.workers(), columns, 'No worker has been heard of lately.');
  });
}
