import { workflowInfo } from '@temporalio/workflow';
import type { BeginMachines } from '../activities/types.ts';
import { type MachineGroup, machinesIn } from '../src/domain/cluster-machines.ts';
import type { ClusterScaleSpec, ClusterSpec, Job, JobResult } from '../src/domain/job.ts';
import { control, region } from './activities.ts';
import { given, unknownError } from './failures.ts';
import { none, type SagaEnd, saga } from './saga.ts';

/** Runs the job of a machine inside this workflow. */
type Run = (job: Job) => Promise<SagaEnd>;

export const createCluster = (job: Job<ClusterSpec>, run: Run): Promise<SagaEnd> =>
  saga(job, async (step) => {
    const until = job.deadlines ? { until: job.deadlines.jobAt } : {};
    await step('machines', { do: () => makeMachines(job, run, until), undo: () => removeMachines(job, run) });
    return step('bootstrap', {
      do: () => bootstrap(job),
      undo: () => region(job, 'bootstrap').removeCluster(),
    });
  });

export const deleteCluster = (job: Job, run: Run): Promise<SagaEnd> =>
  saga(job, async (step) => {
    await step('remove-cluster', {
      do: () => region(job, 'remove-cluster').removeCluster(),
      undo: none('what ran on it is gone'),
    });
    return step('machines', {
      do: () => removeMachines(job, run),
      undo: none('what a deletion took cannot be given back'),
    });
  });

/**
 * Grows first, then shrinks. Undone, what it made is gone, and what it removed is made anew under the same names; on the
 * way back a machine is a node again only once it is there.
 */
export const scaleCluster = (job: Job<ClusterScaleSpec>, run: Run): Promise<SagaEnd> =>
  saga(job, async (step) => {
    const { name, add, remove } = job.spec;
    const added = namesOf(name, add);
    const removed = namesOf(name, remove);
    const { jobAt } = job.deadlines ?? {};
    await step('machines', {
      do: () => addMachines(job, run, add, jobAt),
      undo: () => dropMachines(job, run, added),
    });
    if (add.length > 0)
      await step('join', { do: () => join(job, 'join', added), undo: () => leave(job, 'join', added) });
    if (remove.length === 0) return {};
    await step('drain', { do: () => leave(job, 'drain', removed), undo: () => join(job, 'drain', removed) });
    return step('remove-machines', {
      do: () => dropMachines(job, run, removed),
      undo: () => addMachines(job, run, remove),
    });
  });

const namesOf = (cluster: string, groups: readonly MachineGroup[]): string[] =>
  machinesIn(cluster, groups).map(({ name }) => name);

async function addMachines(
  job: Job<ClusterScaleSpec>,
  run: Run,
  groups: readonly MachineGroup[],
  until?: string,
): Promise<JobResult> {
  if (groups.length === 0) return {};
  const { name } = job.spec;
  await control.addMachines(job.resourceId, name, groups);
  return await makeMachines(job, run, { only: namesOf(name, groups), ...(until === undefined ? {} : { until }) });
}

async function dropMachines(job: Job, run: Run, only: readonly string[]): Promise<JobResult> {
  if (only.length === 0) return {};
  await removeMachines(job, run, { only });
  await control.forgetMachines(job.resourceId, only);
  return {};
}

async function join(job: Job<ClusterScaleSpec>, step: string, names: readonly string[]): Promise<JobResult> {
  const nodes = await control.clusterNodes(job.resourceId);
  const joining = nodes.filter(({ name }) => names.includes(name));
  const now = await region(job, step).joinCluster({ name: job.spec.name, nodes: joining });
  await control.keepNodes(job.resourceId, now);
  return {};
}

async function leave(job: Job<ClusterScaleSpec>, step: string, names: readonly string[]): Promise<JobResult> {
  const now = await region(job, step).leaveCluster({ name: job.spec.name, nodes: names });
  await control.keepNodes(job.resourceId, now);
  return {};
}

/** The kubeconfig passes through to where it is sealed; no result of a step has it. */
async function bootstrap(job: Job<ClusterSpec>): Promise<JobResult> {
  const { name, version, cni, serviceMesh, plugins } = job.spec;
  const nodes = await control.clusterNodes(job.resourceId);
  const spec = { name, version, cni, serviceMesh, plugins, nodes };
  const made = await region(job, 'bootstrap').bootstrapCluster(spec);
  await control.keepCluster(job.resourceId, { kubeconfig: made.kubeconfig, nodes: made.nodes });
  return { providerReference: made.reference, row: { endpoint: made.endpoint } };
}

/** Which machines, and until when. */
type Which = Pick<BeginMachines, 'only' | 'until'>;

const beginningOf = (job: Job, verb: BeginMachines['verb'], which: Which): BeginMachines => ({
  jobId: job.id,
  clusterId: job.resourceId,
  host: workflowInfo().workflowId,
  verb,
  ...which,
});

/** Some at a time, as they are given, until there are all. */
async function makeMachines(job: Job, run: Run, which: Which): Promise<JobResult> {
  for (;;) {
    const { jobs } = given(await control.beginMachines(beginningOf(job, 'create', which)));
    if (jobs.length === 0) return {};
    seeEnds(await runAll(jobs, run));
  }
}

/** Until none is left: a machine that is still being made is first made undone. */
async function removeMachines(job: Job, run: Run, which: Which = {}): Promise<JobResult> {
  for (;;) {
    const { jobs } = given(await control.beginMachines(beginningOf(job, 'delete', which)));
    if (jobs.length === 0) return {};
    seeEnds((await runAll(jobs, run)).filter(({ of }) => of.type === 'vm.delete'));
  }
}

interface Ended {
  readonly of: Job;
  readonly end: SagaEnd;
}

/** Each is seen to its end, whatever becomes of the others. */
const runAll = (jobs: readonly Job[], run: Run): Promise<readonly Ended[]> =>
  Promise.all(jobs.map(async (of) => ({ of, end: await run(of) })));

/** The first that failed speaks for all. */
function seeEnds(ended: readonly Ended[]): void {
  const failed = ended.find(({ end }) => end.state !== 'SUCCEEDED');
  if (!failed) return;
  const error = failed.end.error ?? unknownError;
  given({ refused: { ...error, message: `Machine "${failed.of.resourceName}": ${error.message}` } });
}
