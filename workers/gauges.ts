import type { Client } from '@temporalio/client';
import type { Sql } from 'postgres';
import { Gauge, type Registry } from 'prom-client';
import { countByState, lagSeconds, type StateCount } from '../src/db/queries/gauges.ts';
import { quotaRatios } from '../src/db/queries/quota.ts';
import { incidentKinds } from '../src/domain/incident.ts';
import { hasEnded, jobStates } from '../src/domain/job.ts';
import { driftClasses } from '../src/domain/observation.ts';
import type { Logger } from '../src/log.ts';
import type { Catalog } from '../src/requests/catalog.ts';
import { inTime } from '../src/telemetry/readiness.ts';
import { liveWorkers } from '../temporal/workers.ts';

/** Several Prometheus servers, or an impatient one, cost no more than this. */
const believedMs = 2000;
/** Of all limits of all tenants: a series for each would be most of what Prometheus keeps of us. */
const fullestLimits = 200;

interface GaugeSources {
  readonly sql: Sql;
  readonly client: Client;
  readonly catalog: () => Promise<Catalog>;
  readonly log: Logger;
}

/**
 * What the database and Temporal know, read when it is asked for and at no other time. Every control worker tells the
 * same, so that they are to be combined by `max`, never by `sum`. What cannot be read now is left out.
 */
export function openGauges(registry: Registry, { sql, client, catalog, log }: GaugeSources): void {
  const underWay = jobStates.filter((state) => !hasEnded(state));

  /** One gauge, or several from one query: `fill` sets them anew from what `read` gives. */
  function gauge<Value>(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => Promise<Value>,
    fill: (gauge: Gauge, value: Value) => void,
  ): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        this.reset();
        try {
          fill(this, await read());
        } catch (error) {
          log.warn({ err: error, metric: name }, 'a metric could not be read');
        }
      },
    });
  }

  const jobs = cached(() => countByState(sql, 'jobs'));
  const steps = cached(() => countByState(sql, 'steps'));
  const byState = (states: readonly string[], value: (count: StateCount | undefined) => number) => {
    return (target: Gauge, counts: readonly StateCount[]): void => {
      for (const state of states) target.set({ state }, value(counts.find((one) => one.state === state)));
    };
  };
  gauge(
    'millwright_jobs',
    'Jobs under way, by state.',
    ['state'],
    jobs,
    byState(underWay, (one) => one?.count ?? 0),
  );
  gauge(
    'millwright_jobs_oldest_age_seconds',
    'Since the acceptance of the oldest job in each state; 0 where there is none.',
    ['state'],
    jobs,
    byState(underWay, (one) => one?.seconds ?? 0),
  );
  const stepStates = ['RUNNING', 'RETRYING', 'UNDOING'];
  gauge(
    'millwright_steps',
    'Steps under way, by state.',
    ['state'],
    steps,
    byState(stepStates, (one) => one?.count ?? 0),
  );
  gauge(
    'millwright_steps_oldest_age_seconds',
    'Since the beginning of the oldest step in each state; 0 where there is none.',
    ['state'],
    steps,
    byState(stepStates, (one) => one?.seconds ?? 0),
  );
  gauge(
    'millwright_incidents_open',
    'Incidents that are open, by kind.',
    ['kind'],
    cached(() => countByState(sql, 'incidents')),
    (target, counts) => {
      for (const kind of incidentKinds) target.set({ kind }, counts.find((one) => one.state === kind)?.count ?? 0);
    },
  );
  gauge(
    'millwright_drift_open',
    'Where providers have something else than they should, by class.',
    ['class'],
    cached(() => countByState(sql, 'drift')),
    (target, counts) => {
      for (const name of driftClasses)
        target.set({ class: name }, counts.find((one) => one.state === name)?.count ?? 0);
    },
  );
  gauge(
    'millwright_quota_usage_ratio',
    `What is in use of a limit, of the ${fullestLimits} fullest.`,
    ['scope', 'organization', 'project', 'metric'],
    cached(() => quotaRatios(sql, fullestLimits)),
    (target, ratios) => {
      for (const { ratio, ...labels } of ratios) target.set(labels, ratio);
    },
  );
  gauge(
    'millwright_outbox_lag_seconds',
    'How long the oldest open transaction has kept readers of the events waiting.',
    [],
    cached(() => lagSeconds(sql, 'outboxLag')),
    (target, seconds) => target.set(seconds),
  );
  gauge(
    'millwright_audit_seal_lag_seconds',
    'Since the oldest entry of the audit log that is not sealed; 0 where all are.',
    [],
    cached(() => lagSeconds(sql, 'sealLag')),
    (target, seconds) => target.set(seconds),
  );
  const pending = cached(() => countByState(sql, 'pendingDeliveries'));
  gauge(
    'millwright_webhook_deliveries',
    'Deliveries to webhooks that wait, and those that were given up and may be sent again.',
    ['state'],
    cached(async () => [...(await pending()), ...(await countByState(sql, 'deadDeliveries'))]),
    byState(['pending', 'dead'], (one) => one?.count ?? 0),
  );
  gauge(
    'millwright_webhook_oldest_pending_seconds',
    'Since the oldest delivery that waits came to be; 0 where none does.',
    [],
    pending,
    (target, [oldest]) => target.set(oldest?.seconds ?? 0),
  );
  gauge(
    'millwright_region_workers',
    'Workers of each region that have been heard of lately and take work.',
    ['region'],
    cached(() => Promise.all([catalog(), liveWorkers(client)])),
    (target, [{ regions }, workers]) => {
      for (const { name } of regions) {
        target.set(
          { region: name },
          workers.filter(({ region, status }) => region === name && status === 'running').length,
        );
      }
    },
  );
}

/** The same answer to all who ask within a moment. */
function cached<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let last: { readonly at: number; readonly value: Promise<Value> } | undefined;
  return () => {
    if (!last || Date.now() - last.at > believedMs) last = { at: Date.now(), value: inTime(read) };
    return last.value;
  };
}
