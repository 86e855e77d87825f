import { Command, Option } from 'commander';
import type { Drift } from '../../src/domain/drift.ts';
import { driftStates } from '../../src/domain/drift.ts';
import { madeKinds } from '../../src/domain/kinds.ts';
import { driftClasses } from '../../src/domain/observation.ts';
import type { Column } from '../table.ts';
import { age } from '../text.ts';
import { apiCommand, limitOf, type OpenContext, openSession, textOf, withLimit } from './common.ts';
import { showItems } from './show.ts';

const shown = (value: Drift['wanted']): string => (Array.isArray(value) ? value.join(',') : String(value ?? ''));

const columns: readonly Column<Drift>[] = [
  { header: 'CLASS', value: (one) => one.class },
  { header: 'KIND', value: ({ kind }) => kind },
  { header: 'NAME', value: ({ name }) => name },
  { header: 'REGION', value: ({ region }) => region },
  { header: 'PROVIDER', value: ({ provider }) => provider },
  { header: 'FIELD', value: ({ field }) => field ?? '' },
  { header: 'WANTED', value: ({ wanted }) => shown(wanted) },
  { header: 'FOUND', value: ({ found }) => shown(found) },
  { header: 'STATE', value: ({ state }) => state },
  { header: 'SINCE', value: ({ firstSeenAt }, now) => age(firstSeenAt, now) },
];

export function driftCommand(open: OpenContext): Command {
  const list = withLimit(apiCommand('list', 'list drift, newest first'))
    .addOption(new Option('--class <class>', 'only that of this class').choices(driftClasses))
    .addOption(new Option('--kind <kind>', 'only of this kind').choices(madeKinds))
    .addOption(new Option('--state <state>', 'only that in this state').choices(driftStates))
    .option('--all', 'of all projects, and of none: for operators')
    .option('--region <region>', 'only what is in this region; with --all')
    .option('--provider <provider>', 'only of this provider; with --all');
  list.action(async () => {
    const session = await openSession(list, open);
    const of = (...names: string[]) => Object.fromEntries(names.map((name) => [name, textOf(list, name)]));
    const { reconcile } = session.client;
    const items =
      list.getOptionValue('all') === true
        ? await reconcile.allDrift(of('class', 'kind', 'state', 'region', 'provider'), limitOf(list))
        : await reconcile.drift(of('class', 'kind', 'state'), limitOf(list));
    await showItems(session, items, columns, 'No such drift.');
  });
  return new Command('drift').description('see where providers have something else than they should').addCommand(list);
}
