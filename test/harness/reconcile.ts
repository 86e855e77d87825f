import type { Reconciliation } from '../../src/domain/drift.ts';
import type { TestPlatform } from './platform.ts';
import { until } from './until.ts';

type Outcome = NonNullable<NonNullable<Reconciliation['lastRun']>['outcome']>;

/** Compares a provider now, and gives what came of it once it has ended. */
export async function reconcileNow({ api }: TestPlatform, scope = 'tpe-1/simulator'): Promise<Outcome> {
  const path = `/api/ops/v1/reconciliations/${scope}`;
  const lastRun = async (): Promise<Reconciliation['lastRun']> => (await api.get(path)).body.lastRun;
  const before = await until('the schedule to be written', async () => {
    const { status, body } = await api.get(path);
    return status === 200 && { startedAt: body.lastRun?.startedAt };
  });
  let seen = '';
  const { status, body } = await api.request('POST', `${path}/run`);
  if (status !== 200) throw new Error(`run ${scope}: ${status} ${JSON.stringify(body)}`);
  return until(
    () => `the run to end: ${seen}`,
    async () => {
      const run = await lastRun();
      seen = JSON.stringify(run);
      return run !== null && run.startedAt !== before.startedAt && run.outcome !== null && run.outcome;
    },
    60_000,
  );
}

/** What is on record, the oldest first: `class kind name field state`. */
export async function driftOf({ api }: TestPlatform, query = ''): Promise<string[]> {
  const { items } = (await api.get(`/api/ops/v1/drift${query}`)).body;
  return items
    .map((one: { class: string; kind: string; name: string; field: string | null; state: string }) =>
      [one.class, one.kind, one.name, ...(one.field === null ? [] : [one.field]), one.state].join(' '),
    )
    .toReversed();
}
