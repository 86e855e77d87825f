import { workflowInfo } from '@temporalio/workflow';
import type { BeginMachines } from '../activities/types.ts';
import type { ClusterSpec, Job, JobResult } from '../src/domain/job.ts';
import { control, region } from './activities.ts';
import { given, unknownError } from './failures.ts';
import { none, type SagaEnd, saga } from './saga.ts';

/** Runs the job of a machine inside this workflow. */
type Run = (job: Job) => Promise<SagaEnd>;

export const createCluster = (job: Job<ClusterSpec>, run: Run): Promise<SagaEnd> =>
  saga(job, async (step) => {
    await step('machines', { do: () => makeMachines(job, run), undo: () => removeMachines(job, run) });
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

/** The kubeconfig passes through to where it is sealed; no result of a step has it. */
async function bootstrap(job: Job<ClusterSpec>): Promise<JobResult> {
  const { name, version, cni, serviceMesh, plugins } = job.spec;
  const nodes = await control.clusterNodes(job.resourceId);
  const spec = { name, version, cni, serviceMesh, plugins, nodes };
  const made = await region(job, 'bootstrap').bootstrapCluster(spec);
  await control.keepCluster(job.resourceId, { kubeconfig: made.kubeconfig, nodes: made.nodes });
  return { providerReference: made.reference, row: { endpoint: made.endpoint } };
}

const beginningOf = (job: Job, verb: BeginMachines['verb']): BeginMachines => ({
  jobId: job.id,
  clusterId: job.resourceId,
  host: workflowInfo().workflowId,
  verb,
  ...(verb === 'create' && job.deadlines ? { until: job.deadlines.jobAt } : {}),
});

/** Some at a time, as they are given, until there are all. */
async function makeMachines(job: Job, run: Run): Promise<JobResult> {
  for (;;) {
    const { jobs } = given(await control.beginMachines(beginningOf(job, 'create')));
    if (jobs.length === 0) return {};
    seeEnds(await runAll(jobs, run));
  }
}

/** Until none is left: a machine that is still being made is first made undone. */
async function removeMachines(job: Job, run: Run): Promise<JobResult> {
  for (;;) {
    const { jobs } = given(await control.beginMachines(beginningOf(job, 'delete')));
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
