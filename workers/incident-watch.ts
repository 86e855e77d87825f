import type { Sql } from 'postgres';
import type { Config } from '../src/config/index.ts';
import { sweepIncidents } from '../src/db/queries/incidents.ts';
import type { Logger } from '../src/log.ts';
import { repeat } from './repeat.ts';

const everyMs = 2000;

/** Opens an incident for whatever is late, held or nearly full, and resolves it when that has ended. At rest it only reads. */
export function startIncidentWatch(sql: Sql, config: Config, log: Logger): { stop(): Promise<void> } {
  const thresholds = {
    startSeconds: config.MILLWRIGHT_START_LATE_SECONDS,
    stepSeconds: config.MILLWRIGHT_STEP_LATE_SECONDS,
    quotaPercent: config.MILLWRIGHT_QUOTA_ALERT_PERCENT,
  };
  return repeat('looking for what is late', everyMs, log, async () => {
    const { opened, resolved } = await sweepIncidents(sql, thresholds);
    if (opened + resolved > 0) log.info({ opened, resolved }, 'incidents changed');
  });
}
