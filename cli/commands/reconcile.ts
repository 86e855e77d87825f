import { Command } from 'commander';
import type { Reconciliation } from '../../src/domain/drift.ts';
import type { Column } from '../table.ts';
import { age } from '../text.ts';
import { apiCommand, limitOf, type OpenContext, openSession, textOf, withLimit } from './common.ts';
import { showItems } from './show.ts';

function outcomeOf({ lastRun }: Reconciliation): string {
  if (!lastRun) return '';
  const { outcome } = lastRun;
  switch (outcome?.state) {
    case undefined:
      return 'under way';
    case 'compared':
      return `compared: ${outcome.wanted} wanted, ${outcome.found} found, ${outcome.findings} differ`;
    case 'not-compared':
      return `not compared since ${outcome.since}: ${outcome.message}`;
    case 'failed':
      return 'failed: see its workflow';
  }
}

const columns: readonly Column<Reconciliation>[] = [
  { header: 'REGION', value: ({ region }) => region },
  { header: 'PROVIDER', value: ({ provider }) => provider },
  {
    header: 'EVERY',
    value: ({ paused, everySeconds }) => (paused ? 'paused' : everySeconds === 0 ? 'on demand' : `${everySeconds} s`),
  },
  { header: 'LAST', value: ({ lastRun }, now) => (lastRun ? age(lastRun.startedAt, now) : '') },
  { header: 'OUTCOME', value: outcomeOf },
];
const none = 'No region has a provider.';

export function reconcileCommand(open: OpenContext): Command {
  const list = withLimit(apiCommand('list', 'list when each provider is compared, and what came of it'));
  list.action(async () => {
    const session = await openSession(list, open);
    await showItems(session, await session.client.reconcile.scopes(limitOf(list)), columns, none);
  });

  const decision = (verb: 'run' | 'pause' | 'resume', summary: string): Command => {
    const command = apiCommand(verb, summary)
      .argument('<region>', 'the region')
      .argument('[provider]', 'the provider', 'simulator');
    if (verb === 'pause') command.requiredOption('--reason <reason>', 'why; shown beside it');
    return command.action(async (region: string, provider: string) => {
      const session = await openSession(command, open);
      const body = verb === 'pause' ? { reason: textOf(command, 'reason') } : undefined;
      await showItems(session, [await session.client.reconcile.decide(region, provider, verb, body)], columns, none);
    });
  };
  return new Command('reconcile')
    .description('compare what providers have with what should be there')
    .addCommand(list)
    .addCommand(decision('run', 'compare a provider now'))
    .addCommand(decision('pause', 'compare a provider no more until it is resumed'))
    .addCommand(decision('resume', 'compare a provider again'));
}
