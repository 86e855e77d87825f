import type { Sql } from 'postgres';
import type { BatchFile } from '../../batch/file.ts';
import { criticalPathOf, levelsOf, simulate, waitingGraph } from '../../batch/forecast.ts';
import { findCycles } from '../../batch/graph.ts';
import { planActions } from '../../domain/batch.ts';
import { kindOf } from '../../domain/kinds.ts';
import { knownAfterApply, type Plan, type PlanOperation } from '../../domain/plan.ts';
import { MillwrightError } from '../../errors.ts';
import type { Sealer } from '../../secrets/sealer.ts';
import type { Caller } from '../caller.ts';
import type { Catalog } from '../catalog.ts';
import { decideAll } from './decide.ts';
import type { PlanFault } from './decision.ts';
import { type Estimate, estimatesOf } from './estimate.ts';
import { hashOf } from './hash.ts';
import { faultsOfUse } from './in-use.ts';
import { quotaOf } from './quota.ts';
import { type PlannedOperation, plannedOperations } from './rows.ts';
import { lookAround } from './situation.ts';

export interface PlannedBatch {
  readonly plan: Plan;
  readonly operations: readonly PlannedOperation[];
}

/** Throws `forbidden` where a file does to hosts of metal what their routes would refuse. */
function refuseWhatOperatorsDo({ isOperator }: Caller, { operations }: BatchFile): void {
  const first = isOperator ? undefined : operations.find(({ type }) => kindOf(type) === 'bare-metal-host');
  if (!first) return;
  throw new MillwrightError(
    'forbidden',
    `The operation "${first.id}" is a ${first.type}, which wants the permission bare-metal-host.write: the role operator.`,
  );
}

/**
 * What a batch would do to what is there now, without doing it. Throws `conflict` (or `invalid`, where that is all)
 * with every fault that would keep it from being done. A plan that does not fit into a quota is given all the same.
 */
export async function planBatch(
  sql: Sql,
  caller: Caller,
  catalog: Catalog,
  file: BatchFile,
  sealer: Sealer,
): Promise<PlannedBatch> {
  refuseWhatOperatorsDo(caller, file);
  const situation = await lookAround(sql, caller.project.id, file);
  const { decisions, faults } = await decideAll({ catalog, sealer, situation }, file);
  throwIfAny(file, faults, await faultsOfUse(sql, decisions));
  const planned = plannedOperations(file, decisions);
  refuseCycles(planned);
  const estimates = await estimatesOf(sql, catalog, planned);
  const timed = planned.map(({ operation, action }, at) => ({
    ...operation,
    seconds: estimates[at]?.seconds ?? 0,
    needsSlot: action !== 'none' && (kindOf(operation.type) !== undefined || operation.type === 'http.request'),
  }));
  const run = simulate(timed, file.parallelLimit);
  const active = planned.filter(({ action }) => action !== 'none').map(({ operation }) => operation.id);
  const levels = levelsOf(waitingGraph(timed), new Set(active));
  const quota = await quotaOf(sql, caller, planned, run);
  const operations = planned.map((one, at) =>
    shown(one, estimates[at], levels.get(one.operation.id), run.begins.get(one.operation.id)),
  );
  const plan = {
    name: file.name,
    version: file.version,
    hash: await hashOf(sealer, file, decisions, situation),
    counts: countsOf(planned),
    operations,
    waves: wavesOf(active, levels),
    quota,
    criticalPath: criticalPathOf(timed),
    estimate: { seconds: run.seconds, parallelLimit: file.parallelLimit },
    warnings: warningsOf(planned, quota),
  };
  return {
    plan: { ...plan, criticalPath: { ...plan.criticalPath, operations: [...plan.criticalPath.operations] } },
    operations: planned,
  };
}

/** What is used goes after what uses it, which the file may have the other way round. */
function refuseCycles(planned: readonly PlannedOperation[]): void {
  const [cycle] = findCycles(waitingGraph(planned.map(({ operation }) => operation)));
  if (!cycle) return;
  const [first] = cycle;
  throw new MillwrightError(
    'conflict',
    `These operations would wait for each other: ${[...cycle, first].join(' → ')}. What is used can be deleted only after what uses it: remove a dependency that says otherwise.`,
  );
}

function shown(
  { operation, action, decision, replacedBy, there }: PlannedOperation,
  { seconds, from }: Estimate = { seconds: 0, from: 'none' },
  wave: number | undefined,
  begins: number | undefined,
): PlanOperation {
  const kind = kindOf(operation.type);
  const name = there?.name ?? decision.name ?? knownAfterApply;
  return {
    id: operation.id,
    type: operation.type,
    action,
    region: operation.region ?? null,
    provider: operation.provider ?? null,
    resource: kind ? { kind, name, id: there?.id ?? null } : null,
    replacedBy: replacedBy ?? null,
    differences: replacedBy === undefined ? [...decision.differences] : [],
    reasons: replacedBy === undefined ? [...decision.reasons] : [],
    conditional: operation.conditions.length > 0,
    dependsOn: [...operation.dependsOn],
    softDependsOn: [...operation.softDependsOn],
    wave: wave ?? null,
    seconds: rounded(seconds),
    estimatedFrom: from,
    beginsAfterSeconds: wave === undefined ? null : rounded(begins ?? 0),
  };
}

const rounded = (seconds: number): number => Math.round(seconds * 1000) / 1000;

function countsOf(planned: readonly PlannedOperation[]): Plan['counts'] {
  const counts = Object.fromEntries(planActions.map((action) => [action, 0])) as Record<
    (typeof planActions)[number],
    number
  >;
  for (const { action, replacedBy } of planned) if (replacedBy === undefined) counts[action] += 1;
  return counts;
}

function wavesOf(active: readonly string[], levels: ReadonlyMap<string, number>): string[][] {
  const byLevel = Map.groupBy(active, (id) => levels.get(id) ?? 0);
  return [...byLevel].sort(([one], [other]) => one - other).map(([, ids]) => ids);
}

function warningsOf(planned: readonly PlannedOperation[], { fits, scopes }: Plan['quota']): string[] {
  const uncounted = planned.filter(
    ({ action, decision }) => (action === 'create' || action === 'replace') && !decision.quota,
  );
  const tight = scopes.flatMap(({ scope, name, metrics }) =>
    metrics.flatMap(({ metric, limit, peak }) =>
      limit !== null && peak > limit
        ? [`${metric} of ${scope} "${name}": ${peak} at once, as the run is estimated, and the limit is ${limit}`]
        : [],
    ),
  );
  return [
    ...uncounted.map(({ operation }) => `What "${operation.id}" takes of the quota is known only after apply.`),
    ...(fits
      ? tight.map(
          (line) => `The quota may not suffice on the way (${line}). Let what is created wait for what is deleted.`,
        )
      : []),
  ];
}

type Faults = ReadonlyMap<string, readonly PlanFault[]>;

function throwIfAny({ operations }: BatchFile, ...found: readonly Faults[]): void {
  // A group stands at one place of the file, whatever it was spread out into.
  const places = new Map<string, number>();
  for (const { id } of operations) {
    const [top = ''] = id.split('/');
    if (!places.has(top)) places.set(top, places.size);
  }
  const faults = operations.flatMap(({ id }) => {
    const [top = '', ...inside] = id.split('/');
    return found
      .flatMap((some) => some.get(id) ?? [])
      .map(({ pointer, detail, ...fault }) => ({
        ...fault,
        pointer: `/operations/${places.get(top)}${inside.length > 0 ? '' : pointer}`,
        detail: `Operation "${id}": ${detail}`,
      }));
  });
  if (faults.length === 0) return;
  const code = faults.every((fault) => fault.code === 'invalid') ? 'invalid' : 'conflict';
  const jobId = faults.find((fault) => fault.jobId !== undefined)?.jobId;
  const plain = faults.map(({ pointer, detail }) => ({ pointer, detail }));
  const more = plain.length > toldAtMost ? ` And ${plain.length - toldAtMost} more.` : '';
  const told = plain.slice(0, toldAtMost).map(({ detail }) => detail);
  throw new MillwrightError(code, told.join(' ') + more, { faults: plain, ...(jobId && { jobId }) });
}

/** So many faults are told in the message; all of them are listed. */
const toldAtMost = 10;
