import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { defaultNamespace as namespace } from '../../temporal/names.ts';
import { endpointsOfPeer, servePeer, volumeMaker } from './peer.ts';

/** A workflow that runs an activity for each operation, and the worker of both, as the SDK makes it: no codec, no heartbeat. */
Runtime.install({ logger: new DefaultLogger('ERROR') });
const endpoints = endpointsOfPeer();
const address = endpoints.temporal;
const taskQueue = 'bench-fan-out';
const client = new Client({ connection: await Connection.connect({ address }), namespace });
const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue,
  workflowsPath: fileURLToPath(new URL('./fan-out-workflow.ts', import.meta.url)),
  activities: { makeVolume: volumeMaker(endpoints) },
  maxConcurrentActivityTaskExecutions: 1000,
});
const running = worker.run();
servePeer(
  async (fanOut) => {
    const handle = await client.workflow.start('fanOut', { workflowId: fanOut.run, taskQueue, args: [fanOut] });
    const began = performance.now();
    await handle.result();
    return (performance.now() - began) / 1000;
  },
  async () => {
    worker.shutdown();
    await running;
  },
);
