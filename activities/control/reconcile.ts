import { comparePage } from '../../src/db/queries/compare.ts';
import { keepNotCompared, settleFindings } from '../../src/db/queries/drift.ts';
import type { ControlActivities } from '../types.ts';
import type { ControlDependencies } from './index.ts';

export function reconcileActivities({
  database: { sql },
  suspectShare,
  log,
}: ControlDependencies): Pick<
  ControlActivities,
  'beginComparison' | 'comparePage' | 'settleFindings' | 'keepNotCompared'
> {
  return {
    beginComparison: async () => {
      const [row] = await sql<{ now: Date }[]>`SELECT date_trunc('milliseconds', clock_timestamp()) AS now`;
      if (!row) throw new Error('the database did not tell the time');
      return { startedAt: row.now.toISOString(), suspectShare };
    },
    comparePage: (seen) => comparePage(sql, seen),
    keepNotCompared: async (of) => {
      const { region, provider, reason, message } = of;
      if (await keepNotCompared(sql, of)) log.warn({ region, provider, reason, detail: message }, 'not compared');
    },
    settleFindings: async (of) => {
      const settled = await settleFindings(sql, of);
      const { region, provider, run } = of;
      if (settled.opened + settled.resolved > 0) log.warn({ region, provider, run, ...settled }, 'drift changed');
      return settled;
    },
  };
}
