import type { Sql } from 'postgres';
import type { Config } from '../src/config/index.ts';
import { escalateIncidents, sweepIncidents } from '../src/db/queries/incidents.ts';
import type { Logger } from '../src/log.ts';
import { repeat } from './repeat.ts';

const everyMs = 2000;

/**
 * Opens an incident for whatever is late, held, nearly full or not as it should be, tells of it again while nobody
 * acknowledges it, and resolves it when its cause has ended. At rest it only reads.
 */
export function startIncidentWatch(sql: Sql, config: Config, log: Logger): { stop(): Promise<void> } {
  const thresholds = {
    startSeconds: config.MILLWRIGHT_START_LATE_SECONDS,
    stepSeconds: config.MILLWRIGHT_STEP_LATE_SECONDS,
    quotaPercent: config.MILLWRIGHT_QUOTA_ALERT_PERCENT,
  };
  return repeat('looking for what is late', everyMs, log, async () => {
    const { opened, resolved } = await sweepIncidents(sql, thresholds);
    if (opened + resolved > 0) log.info({ opened, resolved }, 'incidents changed');
    const escalated = await escalateIncidents(sql, config.MILLWRIGHT_ESCALATE_MINUTES);
    if (escalated > 0) log.warn({ escalated }, 'incidents that nobody has acknowledged were told of again');
  });
}
