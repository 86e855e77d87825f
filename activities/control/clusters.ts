import { insertCreates, type NewCreate } from '../../src/db/queries/accept.ts';
import {
  addMachines,
  clusterForWork,
  forgetMachines,
  handOnQuota,
  holdMachine,
  keepCluster,
  keepNodes,
  letGoOfMachine,
  type MachineRow,
  machinesForWork,
  nodesForWork,
  renewMachineJob,
  trailOf,
} from '../../src/db/queries/cluster-work.ts';
import { hasEnded, type Job } from '../../src/domain/job.ts';
import { vmCreateSchema } from '../../src/domain/vm.ts';
import type { AcceptOptions, Caller } from '../../src/requests/caller.ts';
import { acceptCreate } from '../../src/requests/create.ts';
import { acceptDelete } from '../../src/requests/remove.ts';
import { placeOfKubeconfig } from '../../src/secrets/specs.ts';
import type { BeginMachines, ControlActivities } from '../types.ts';
import { acceptedJob, acceptUnlessThere, hostedBy } from './accepted.ts';
import type { ControlDependencies } from './index.ts';
import { orRefused } from './refusal.ts';

type ClusterActivity =
  | 'beginMachines'
  | 'addMachines'
  | 'forgetMachines'
  | 'clusterNodes'
  | 'keepNodes'
  | 'keepCluster';

/** So many machines of a cluster are made, or removed, at a time: their jobs are one payload, and one activity's work. */
const atOnce = 50;

const always = (): boolean => true;

/** What a cluster's workflow asks of the database. */
export function clusterActivities(dependencies: ControlDependencies): Pick<ControlActivities, ClusterActivity> {
  const { database, sealer } = dependencies;
  const { sql } = database;
  return {
    async beginMachines(begin) {
      const all = await machinesForWork(sql, begin.clusterId);
      const machines = begin.only ? all.filter(({ name }) => begin.only?.includes(name)) : all;
      const how = await actingFor(dependencies, begin);
      const one = begin.verb === 'create' ? made : removed;
      return await orRefused(always, async () => {
        const jobs: Job[] = [];
        for (const machine of machines) {
          const job = await one(how, machine);
          if (job) jobs.push(job);
          if (jobs.length === atOnce) break;
        }
        return { jobs };
      });
    },
    addMachines: (clusterId, name, groups) => addMachines(sql, clusterId, name, groups),
    forgetMachines: (clusterId, names) => forgetMachines(sql, clusterId, names),
    clusterNodes: (clusterId) => nodesForWork(sql, clusterId),
    keepNodes: (clusterId, nodes) => keepNodes(sql, clusterId, nodes),
    async keepCluster(clusterId, { kubeconfig, nodes }) {
      await keepCluster(sql, clusterId, await sealer.seal(kubeconfig, placeOfKubeconfig(clusterId)), nodes);
    },
  };
}

interface Acting extends ControlDependencies {
  readonly begin: BeginMachines;
  readonly cluster: Awaited<ReturnType<typeof clusterForWork>>;
  readonly caller: Caller;
  readonly optionsOf: (jobId: string) => AcceptOptions;
}

/** In whose name a cluster asks for its machines: its own. */
async function actingFor(dependencies: ControlDependencies, begin: BeginMachines): Promise<Acting> {
  const { database, limits, sealer } = dependencies;
  const cluster = await clusterForWork(database.sql, begin.clusterId);
  const trail = await trailOf(database.sql, begin.jobId);
  const { organization, project } = cluster;
  const secondsLeft = begin.until === undefined ? undefined : Math.ceil((Date.parse(begin.until) - Date.now()) / 1000);
  return {
    ...dependencies,
    begin,
    cluster,
    caller: { organization, project, actor: `cluster/${cluster.name}`, origin: null, trail },
    optionsOf: (jobId) => ({
      limits,
      sealer,
      // A deletion that fails is not held by itself: the cluster's job is.
      onFailure: begin.verb === 'create' ? 'rollback' : 'keep',
      ...(secondsLeft === undefined ? {} : { timeoutSeconds: Math.max(1, secondsLeft) }),
      batch: { batchId: null, operationId: null, jobId, parentJobId: begin.jobId, workflowId: begin.host },
    }),
  };
}

/** The job that makes a machine; undefined where it is made. */
async function made(
  acting: Acting,
  { createJobId, createState, name, vmId, ...machine }: MachineRow,
): Promise<Job | undefined> {
  const { cluster, catalog, caller, optionsOf } = acting;
  const { sql } = acting.database;
  if (createState === 'SUCCEEDED' && vmId !== null) {
    // One that was to go, and did not, is the cluster's again.
    if (machine.deleteState !== null) await holdMachine(sql, cluster.id, name, vmId);
    return undefined;
  }
  const failed = createState !== null && hasEnded(createState);
  const jobId = failed ? await renewMachineJob(sql, cluster.id, name, 'create') : createJobId;
  if (failed || createState === null) {
    const { region, provider, image, sshKeys, networks } = cluster;
    const labels = { ...machine.labels, 'millwright.cluster': cluster.name };
    const given = { name, region, provider, image, sshKeys, networks, labels, flavor: machine.flavor };
    const body = vmCreateSchema.parse(given);
    await acceptUnlessThere(sql, jobId, async () =>
      acceptCreate(sql, caller, await catalog(), { kind: 'vm', body }, { ...optionsOf(jobId), accept: writer(acting) }),
    );
  }
  const job = await adopted(acting, jobId);
  await holdMachine(sql, cluster.id, name, job.resourceId);
  return job;
}

/** Writes a machine's create, with what its cluster's job took of the quota for it handed on; neither without the other. */
const writer =
  ({ database: { sql }, cluster, begin }: Acting) =>
  async (create: NewCreate): Promise<Date | undefined> => {
    const short = Symbol('short of quota');
    const written = sql.begin(async (transaction) => {
      await handOnQuota(transaction, { clusterId: cluster.id, jobId: begin.jobId }, create.resource.quota);
      const createdAt = await insertCreates(transaction, [create]);
      if (!createdAt) throw short;
      return createdAt;
    });
    return await written.catch((error: unknown) => {
      if (error === short) return undefined;
      throw error;
    });
  };

/** The job that removes a machine, or that ends its making; undefined where it is gone. */
async function removed(acting: Acting, machine: MachineRow): Promise<Job | undefined> {
  const { cluster, caller, optionsOf } = acting;
  const { sql } = acting.database;
  const { createJobId, createState, deleteState, vmId, name } = machine;
  if (createState !== null && !hasEnded(createState)) {
    const job = await adopted(acting, createJobId);
    return { ...job, checkpoint: { ...(job.checkpoint ?? untouched), cancelRequested: true } };
  }
  if (vmId === null) return undefined;
  const failed = deleteState !== null && hasEnded(deleteState);
  const jobId = failed ? await renewMachineJob(sql, cluster.id, name, 'delete') : machine.deleteJobId;
  if (failed || deleteState === null) {
    await letGoOfMachine(sql, cluster.id, vmId);
    await acceptUnlessThere(sql, jobId, () => acceptDelete(sql, caller, 'vm', vmId, optionsOf(jobId)));
  }
  return await adopted(acting, jobId);
}

const untouched = { state: 'PENDING', rollback: 'none', error: null, leftovers: [], steps: [] } as const;

/** A job that has been accepted, for this workflow to go on with. */
const adopted = async (acting: Acting, jobId: string): Promise<Job> =>
  hostedBy(acting, await acceptedJob(acting, jobId), acting.begin.host);
