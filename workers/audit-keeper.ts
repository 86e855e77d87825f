import type { Sql } from 'postgres';
import { sealEntries } from '../src/audit/seal.ts';
import { closeLost } from '../src/db/queries/audit-lost.ts';
import type { Logger } from '../src/log.ts';
import { repeat } from './repeat.ts';

const sealEveryMs = 3000;
const sweepEveryMs = 60_000;
/** What is older is looked at when the worker starts, and once in so many sweeps. */
const sweepBackMinutes = 30;
const wholeSweepEach = 60;

/** Seals what has come into the audit log, and closes what a crash left open. At rest it only reads. */
export function startAuditKeeper(sql: Sql, log: Logger): { stop(): Promise<void> } {
  let sweeps = 0;
  const watches = [
    repeat('sealing the audit log', sealEveryMs, log, async () => {
      await sealEntries(sql);
    }),
    repeat('closing lost acts in the audit log', sweepEveryMs, log, async () => {
      const lost = await closeLost(sql, sweeps % wholeSweepEach === 0 ? undefined : sweepBackMinutes);
      sweeps += 1;
      if (lost > 0) log.warn({ lost }, 'acts whose end is not known were closed as lost');
    }),
  ];
  return {
    stop: async () => {
      await Promise.all(watches.map((watch) => watch.stop()));
    },
  };
}
