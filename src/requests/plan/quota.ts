import type { Sql } from 'postgres';
import type { Run } from '../../batch/forecast.ts';
import { organizationQuota, projectQuota } from '../../db/queries/quota.ts';
import type { PlanQuota } from '../../domain/plan.ts';
import { type Quota, type QuotaMetric, type QuotaUse, quotaMetrics } from '../../domain/quota.ts';
import type { Caller } from '../caller.ts';
import type { PlannedOperation } from './rows.ts';

/** What an operation takes as it begins, and gives back as it ends. */
interface Turn {
  readonly id: string;
  readonly takes: QuotaUse;
  readonly gives: QuotaUse;
  readonly conditional: boolean;
}

const turnOf = ({ operation, action, decision, there }: PlannedOperation): Turn => ({
  id: operation.id,
  takes: action === 'delete' ? {} : (decision.quota ?? {}),
  gives: action === 'delete' ? (there?.quota ?? {}) : {},
  conditional: operation.conditions.length > 0,
});

/** What a batch takes of the quotas that it falls under. Of what its conditions may leave out, only what they give back counts against a limit. */
export async function quotaOf(
  sql: Sql,
  caller: Caller,
  planned: readonly PlannedOperation[],
  run: Run,
): Promise<{ readonly fits: boolean; readonly scopes: PlanQuota[] }> {
  const turns = planned.map(turnOf);
  const quotas = await Promise.all([
    projectQuota(sql, caller.project.id),
    organizationQuota(sql, caller.organization.id),
  ]);
  const amounts = quotaMetrics.flatMap((metric) => amountOf(metric, turns, run) ?? []);
  const scopes = quotas.flatMap((quota) => (quota ? [scopeOf(quota, amounts)] : []));
  return { fits: scopes.every(({ metrics }) => metrics.every(({ fits }) => fits)), scopes };
}

interface Amount {
  readonly metric: QuotaMetric;
  readonly delta: number;
  /** What it takes for certain, less all that it may give back. */
  readonly least: number;
  /** The most above what is in use before. */
  readonly peak: number;
}

/** Undefined where the batch leaves a metric alone. */
function amountOf(metric: QuotaMetric, turns: readonly Turn[], { begins, ends }: Run): Amount | undefined {
  const touching = turns.filter(({ takes, gives }) => (takes[metric] ?? 0) > 0 || (gives[metric] ?? 0) > 0);
  if (touching.length === 0) return undefined;
  const taken = sum(touching.map(({ takes }) => takes[metric] ?? 0));
  const given = sum(touching.map(({ gives }) => gives[metric] ?? 0));
  const certain = sum(touching.map(({ takes, conditional }) => (conditional ? 0 : (takes[metric] ?? 0))));
  const moments = touching.flatMap(({ id, takes, gives }) => [
    { at: begins.get(id) ?? 0, change: takes[metric] ?? 0 },
    { at: ends.get(id) ?? 0, change: -(gives[metric] ?? 0) },
  ]);
  // What is given back at a moment may be taken at that moment.
  moments.sort((one, other) => one.at - other.at || one.change - other.change);
  let [now, peak] = [0, 0];
  for (const { change } of moments) {
    now += change;
    peak = Math.max(peak, now);
  }
  return { metric, delta: taken - given, least: certain - given, peak };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const scopeOf = ({ scope, name, metrics }: Quota, amounts: readonly Amount[]): PlanQuota => ({
  scope,
  name,
  metrics: amounts.map(({ metric, delta, least, peak }) => {
    const { used, limit } = metrics[metric];
    const fits = limit === null || least <= 0 || used + least <= limit;
    return { metric, used, limit, delta, peak: used + peak, fits };
  }),
});

/** All that is short, as one is told of it. */
export function shortages(scopes: readonly PlanQuota[]): string {
  const short = scopes.flatMap(({ scope, name, metrics }) => {
    const lacking = metrics.flatMap(({ metric, fits, delta, used, limit }) =>
      fits ? [] : [`${metric}: ${delta} more wanted, ${used} of ${limit} in use`],
    );
    return lacking.length > 0 ? [`${scope} "${name}" does not suffice (${lacking.join('; ')})`] : [];
  });
  return `The quota of ${short.join(' and of ')} for the whole batch. Delete something, or ask an operator for more.`;
}
