import { Command } from 'commander';
import type { Region } from '../../src/domain/operations.ts';
import type { Column } from '../table.ts';
import { apiCommand, type OpenContext, openSession } from './common.ts';
import { showItems } from './show.ts';

const columns: readonly Column<Region>[] = [
  { header: 'NAME', value: ({ name }) => name },
  { header: 'STATUS', value: ({ status }) => status },
  { header: 'WORKERS', value: ({ workers }) => String(workers) },
  { header: 'PROVIDERS', value: ({ providers }) => providers.join(',') },
];

export function regionCommand(open: OpenContext): Command {
  const list = apiCommand('list', 'list the regions, and whether any of their workers lives');
  list.action(async () => {
    const session = await openSession(list, open);
    await showItems(session, await session.client.regions(), columns, 'No regions.');
  });
  return new Command('region').description('show the regions').addCommand(list);
}
