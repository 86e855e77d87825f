import { DBOS } from '@dbos-inc/dbos-sdk';
import { endpointsOfPeer, type FanOut, inSlots, servePeer, volumeMaker } from './peer.ts';

/** Durable workflows kept in a database of their own on the platform's PostgreSQL server, in both ways that DBOS has for a fan-out. */
const endpoints = endpointsOfPeer();
const database = new URL(endpoints.postgres);
database.pathname = '/bench_dbos';
const makeVolume = volumeMaker(endpoints);

/** Steps of one workflow. Each takes its number as it begins, so that they begin in the same order in a recovery. */
const steps = DBOS.registerWorkflow(
  (fanOut: FanOut) =>
    inSlots(fanOut, (index) => DBOS.runStep(() => makeVolume(fanOut.run, index), { name: 'makeVolume' })),
  { name: 'steps' },
);

const queueOf = (parallelLimit: number): string => `at-most-${parallelLimit}`;
const one = DBOS.registerWorkflow(
  (run: string, index: number) => DBOS.runStep(() => makeVolume(run, index), { name: 'makeVolume' }),
  { name: 'one' },
);
/** A workflow for each operation, on a queue that lets so many run at once. */
const queue = DBOS.registerWorkflow(
  async ({ run, operations, parallelLimit }: FanOut) => {
    const handles = [];
    for (let index = 0; index < operations; index += 1) {
      handles.push(await DBOS.startWorkflow(one, { queueName: queueOf(parallelLimit) })(run, index));
    }
    for (const handle of handles) await handle.getResult();
  },
  { name: 'queue' },
);

DBOS.setConfig({ name: 'bench', systemDatabaseUrl: database.href, logLevel: 'error', applicationVersion: 'bench' });
await DBOS.launch();
/** Looked at fifty times as often as by default, since one that is looked at once a second starts 100 a second; and only where it is used. */
const openQueue = (limit: number) =>
  DBOS.registerQueue(queueOf(limit), { workerConcurrency: limit, minPollingIntervalMs: 20 });
servePeer(
  async (fanOut) => {
    if (fanOut.way === 'queue') await openQueue(fanOut.parallelLimit);
    const handle = await DBOS.startWorkflow(fanOut.way === 'queue' ? queue : steps, { workflowID: fanOut.run })(fanOut);
    const began = performance.now();
    await handle.getResult();
    return (performance.now() - began) / 1000;
  },
  () => DBOS.shutdown(),
);
