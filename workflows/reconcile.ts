import {
  ActivityFailure,
  ApplicationFailure,
  continueAsNew,
  patched,
  proxyActivities,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { RegionActivities, RegionCall } from '../activities/types.ts';
import { type MadeKind, madeKinds } from '../src/domain/kinds.ts';
import { type Finding, isObserverWrong, mostFindings, type RunOutcome, type Scope } from '../src/domain/observation.ts';
import { heartbeatTimeoutMs, regionQueue } from '../temporal/names.ts';
import { control } from './activities.ts';
import { isUntaken, toErrorInfo } from './failures.ts';

/** How far a run is, for the one that goes on with it. */
interface RunState {
  readonly startedAt: string;
  readonly suspectShare: number;
  /** Since when no run has compared it, if the one before did not: it goes from run to run with their results. */
  readonly since?: string;
  /** By kind, the key to go on after; a kind that is done is left out. */
  left: Partial<Record<MadeKind, string>>;
  supported: boolean;
  wanted: number;
  found: number;
  findings: Finding[];
}

/** A worker of the region that does not take a page within this time is away. */
const workerWait = '15s';

/**
 * Compares what a provider shows of a region with what should be there, page by page, and puts what differs on record
 * once all of it was compared: of a run that stops in the middle nothing is believed. At rest it only reads.
 */
export async function reconcile(scope: Scope, state?: RunState): Promise<RunOutcome> {
  const run = state ?? (await newRun());
  const { firstExecutionRunId } = workflowInfo();
  const notCompared = async (reason: NotCompared['reason'], message: string): Promise<RunOutcome> => {
    if (reason !== 'unsupported' && patched('kept-not-compared'))
      await control.keepNotCompared({ ...scope, run: firstExecutionRunId, reason, message });
    return { state: 'not-compared', reason, message, since: run.since ?? run.startedAt };
  };
  const walks = madeKinds.flatMap((kind) => (run.left[kind] === undefined ? [] : [walk(scope, run, kind)]));
  const failed = (await Promise.allSettled(walks)).find((walked) => walked.status === 'rejected');
  if (failed) return await notCompared(...reasonOf(failed.reason, scope));
  if (Object.keys(run.left).length > 0 && run.findings.length <= mostFindings)
    return await continueAsNew<typeof reconcile>(scope, run);
  if (!run.supported)
    return await notCompared('unsupported', `The driver of "${scope.provider}" does not show what it has.`);
  const { wanted, found, findings, suspectShare } = run;
  const wrong = new Set(findings.map(({ kind, key }) => `${kind} ${key}`)).size;
  if (isObserverWrong({ wanted, found, wrong }, suspectShare)) {
    return await notCompared(
      'observer-wrong',
      `${wrong} things differ where ${wanted} should be there and ${found} are shown: more than ${suspectShare * 100} %. Nothing of it is believed. See whether "${scope.provider}" shows all that it has in ${scope.region}.`,
    );
  }
  await control.settleFindings({ ...scope, run: firstExecutionRunId, startedAt: run.startedAt, findings });
  return { state: 'compared', wanted, found, findings: findings.length };
}

async function newRun(): Promise<RunState> {
  const left = Object.fromEntries(madeKinds.map((kind) => [kind, '']));
  const last = [workflowInfo().lastResult].flat()[0] as RunOutcome | undefined;
  const since = last?.state === 'not-compared' ? { since: last.since } : {};
  return { ...(await control.beginComparison()), ...since, left, supported: false, wanted: 0, found: 0, findings: [] };
}

/** The pages of one kind, each compared while the next is fetched, as far as this history goes. */
async function walk(scope: Scope, run: RunState, kind: MadeKind): Promise<void> {
  const { observePage } = regionOf(scope);
  const call = callOf(scope);
  let comparing = Promise.resolve();
  for (let after = run.left[kind]; after !== undefined; after = run.left[kind]) {
    const page = await observePage(call, kind, after);
    await comparing;
    if (page === null) {
      delete run.left[kind];
      return;
    }
    run.supported = true;
    const last = page.more ? page.observations.at(-1)?.key : undefined;
    if (last === undefined) delete run.left[kind];
    else run.left[kind] = last;
    comparing = compare(scope, run, { kind, after, upTo: last ?? null, observations: page.observations });
    if (run.findings.length > mostFindings || workflowInfo().continueAsNewSuggested) break;
  }
  await comparing;
}

async function compare(
  scope: Scope,
  run: RunState,
  seen: Pick<Parameters<typeof control.comparePage>[0], 'kind' | 'after' | 'upTo' | 'observations'>,
): Promise<void> {
  const { wanted, found, findings } = await control.comparePage({ ...scope, ...seen, startedAt: run.startedAt });
  run.wanted += wanted;
  run.found += found;
  run.findings.push(...findings);
}

const retry = { maximumAttempts: 3, initialSeconds: 1, maximumSeconds: 5 };

const regionOf = ({ region, provider }: Scope) =>
  proxyActivities<Pick<RegionActivities, 'observePage'>>({
    taskQueue: regionQueue(region),
    scheduleToStartTimeout: workerWait,
    startToCloseTimeout: '1 minute',
    scheduleToCloseTimeout: '5 minutes',
    heartbeatTimeout: heartbeatTimeoutMs,
    summary: `look at ${provider}`,
    retry: { maximumAttempts: retry.maximumAttempts, initialInterval: '1s', maximumInterval: '5s' },
  });

const callOf = ({ region, provider }: Scope): RegionCall => ({
  jobId: uuid4(),
  step: 'observe',
  provider,
  region,
  key: provider,
  retry,
});

type NotCompared = Extract<RunOutcome, { state: 'not-compared' }>;

function reasonOf(error: unknown, scope: Scope): [NotCompared['reason'], string] {
  if (isUntaken(error)) {
    return [
      'worker-away',
      `No worker of region ${scope.region} took the question. Start one with "millwright worker region --region ${scope.region}".`,
    ];
  }
  // What is neither of the region nor of its provider is ours, and fails the run.
  if (!(error instanceof ActivityFailure) && !(error instanceof ApplicationFailure)) throw error;
  return ['provider-away', toErrorInfo(error, scope).message];
}
