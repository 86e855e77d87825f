import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Payload } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import proto from '@temporalio/proto';
import { readConfig } from '../../src/config/index.ts';
import { type JobView, settlements } from '../../src/domain/job.ts';
import { removeHome } from '../../src/platform/postgres-data.ts';
import { startPlatform } from '../../src/platform/supervisor.ts';
import { openKeyRing } from '../../src/secrets/key-ring.ts';
import { temporalClient } from '../../temporal/client.ts';
import { EncryptionCodec } from '../../temporal/codec.ts';
import { Api } from '../harness/api.ts';
import { computeHost } from '../harness/compute-hosts.ts';
import { Simulator } from '../harness/simulator.ts';
import { until } from '../harness/until.ts';

/**
 * Records a history of every workflow, in the clear and on bad days, for `replay.test.ts`:
 * `npm run histories -- <shape>`, the shape being the release that records. One that is there is never written over: a
 * job that began under it may still be under way somewhere. `npm run histories -- <shape> <part>` records one part, as
 * what a new kind has.
 */
const [shape, part = 'jobs'] = process.argv.slice(2);
if (!shape || !/^[\w.-]+$/.test(shape)) throw new Error('Name the shape: npm run histories -- <release>');
const folder = fileURLToPath(new URL(`./histories/${shape}`, import.meta.url));
if (existsSync(folder)) throw new Error(`The shape ${shape} is recorded already, and stays as it is. Name a new one.`);
const home = mkdtempSync(join(tmpdir(), 'millwright-record-'));
const config = readConfig({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  MILLWRIGHT_HOME: home,
  MILLWRIGHT_STEP_ATTEMPTS: '3',
  // Few enough that a batch of some dozen operations goes on in several workflows.
  MILLWRIGHT_BATCH_EVENTS: '100',
});
const platform = await startPlatform({ config, port: 0 }, (line) => console.error(line));
const api = new Api(platform.endpoints.api, readFileSync(join(home, 'operator.token'), 'utf8').trim());
const simulator = new Simulator(platform.endpoints.simulator);
const keys = openKeyRing(join(home, 'keys', 'payload.keys'));
const codec = new EncryptionCodec(keys);
const { client, connection } = temporalClient({ address: platform.endpoints.temporal, namespace: 'millwright', keys });
mkdirSync(folder, { recursive: true });

async function save(name: string, workflowId: string): Promise<void> {
  const history = await client.workflow.getHandle(workflowId).fetchHistory();
  const plain = await decodeAll(JSON.parse(historyToJSON(history)));
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(plain, null, 1)}\n`);
  console.error(`recorded ${name}`);
}

/** Payloads in the clear, so that a history can be read and does not need a key. */
async function decodeAll(value: unknown): Promise<unknown> {
  if (Array.isArray(value)) return await Promise.all(value.map(decodeAll));
  if (typeof value !== 'object' || value === null) return value;
  if ('metadata' in value && 'data' in value) {
    const payload: Payload = proto.temporal.api.common.v1.Payload.fromObject(value);
    const [decoded] = await codec.decode([payload]);
    const { Payload: Message } = proto.temporal.api.common.v1;
    return Message.toObject(Message.fromObject(withoutStacks(decoded ?? payload)), { bytes: String });
  }
  const entries = await Promise.all(Object.entries(value).map(async ([key, part]) => [key, await decodeAll(part)]));
  return Object.fromEntries(entries);
}

/** Stack traces tell of the machine that recorded, and a replay does not look at them. */
function withoutStacks(payload: Payload): Payload {
  const text = Buffer.from(payload.data ?? []).toString('utf8');
  if (!text.includes('"stack_trace"')) return payload;
  return { ...payload, data: new TextEncoder().encode(JSON.stringify({ ...JSON.parse(text), stack_trace: '' })) };
}

const done = async (name: string, method: string, path: string, body?: object): Promise<void> =>
  save(name, (await api.done(method, path, body)).workflowId);

const isHeld = ({ state }: JobView): boolean => state === 'HELD';

/** A create whose step has failed for good, and would not fail again. */
async function hold(name: string): Promise<JobView> {
  await simulator.fault({ effect: 'permanent', operation: 'vm.create', name, times: 1 });
  const { body } = await api.tenant('POST', '/vms', vm(name, { onFailure: 'hold' }));
  return await api.jobWhen(body.job.id, isHeld);
}

const chain = (onFailure: string, name = 'chain'): string => `
name: ${name}
onFailure: ${onFailure}
operations:
  - { id: a, type: volume.create, region: tpe-1, with: { name: ${name}-a, sizeGib: 1 } }
  - { id: b, type: volume.create, region: tpe-1, dependsOn: [a], with: { name: ${name}-b, sizeGib: 1 } }
  - { id: c, type: volume.create, region: tpe-1, dependsOn: [b], with: { name: ${name}-c, sizeGib: 1 } }`;

/** A batch whose operation `b` is held, and would not fail again. */
async function heldInBatch(name: string) {
  await simulator.fault({ effect: 'permanent', operation: 'volume.create', name: `${name}-b`, times: 1 });
  return await api.tenant('POST', '/batches', chain('hold', name));
}

const heldJob = (): Promise<string> =>
  until('an operation to be held', async () => {
    const { items } = (await api.tenant('GET', '/jobs?state=HELD')).body;
    return items.length > 0 && items[0].id;
  });

/** A batch that is held as a whole, since its operation was given up. */
async function holdBatch(name: string): Promise<string> {
  const { body } = await heldInBatch(name);
  await api.settled(await heldJob(), 'rollback');
  await api.jobWhen(body.job.id, isHeld, 60_000);
  return body.job.id;
}

/** A batch whose rollback is stuck, since `a` could not be taken back, and would be now. */
async function stickBatch(name: string): Promise<string> {
  await simulator.fault({ effect: 'permanent', operation: 'volume.create', name: `${name}-b`, times: 1 });
  await simulator.fault({ effect: 'permanent', operation: 'volume.delete', name: `${name}-a`, times: 1 });
  const { body } = await api.tenant('POST', '/batches', chain('rollback', name));
  await api.jobWhen(body.job.id, ({ state, rollback }) => state === 'HELD' && rollback === 'stuck', 60_000);
  return body.job.id;
}

const at = { region: 'tpe-1' };
const vm = (name: string, more: object = {}) => ({ name, ...at, flavor: 'small', image: 'debian-13', ...more });

/** Acts, in an order in which each finds its resource as it has to be. */
async function recordActs(): Promise<void> {
  await done('volume.create', 'POST', '/volumes', { name: 'vol', ...at, sizeGib: 1 });
  await done('vm.create', 'POST', '/vms', vm('vm'));
  for (const act of ['stop', 'start', 'suspend', 'resume', 'reboot'])
    await done(`vm.${act}`, 'POST', `/vms/vm/${act}`, {});
  await done('vm.resize', 'POST', '/vms/vm/resize', { flavor: 'medium' });
  await done('vm.rebuild', 'POST', '/vms/vm/rebuild', {});
  await done('volume.attach', 'POST', '/volumes/vol/attach', { vm: 'vm' });
  await done('volume.detach', 'POST', '/volumes/vol/detach', {});
  await done('volume.grow', 'POST', '/volumes/vol/grow', { sizeGib: 2 });
  await simulator.fault({ effect: 'permanent', operation: 'vm.stop', name: 'vm', times: 1 });
  await done('vm.stop-refused', 'POST', '/vms/vm/stop', {});
}

async function recordSnapshots(): Promise<void> {
  await done('volume.create', 'POST', '/volumes', { name: 'vol', ...at, sizeGib: 1 });
  await done('snapshot.create', 'POST', '/snapshots', { name: 'then', volume: 'vol' });
  await done('volume.restore', 'POST', '/volumes/vol/restore', { snapshot: 'then' });
  await done('snapshot.delete', 'DELETE', '/snapshots/then');
  await simulator.fault({ effect: 'permanent', operation: 'snapshot.create', name: 'refused' });
  await done('snapshot.create-refused', 'POST', '/snapshots', { name: 'refused', volume: 'vol' });
}

async function recordBuckets(): Promise<void> {
  await done('bucket.create', 'POST', '/buckets', { name: 'logs', ...at });
  // Given, because a recorded history is kept in clear.
  const key = { key: 'app', secret: 'recorded-and-no-secret-of-anybody' };
  await done('bucket.create-key', 'POST', '/buckets/logs/create-key', key);
  await done('bucket.revoke-key', 'POST', '/buckets/logs/revoke-key', { key: 'app' });
  await done('bucket.create-key-again', 'POST', '/buckets/logs/create-key', key);
  await done('bucket.delete', 'DELETE', '/buckets/logs?force=true');
  await done('bucket.create-full', 'POST', '/buckets', { name: 'full', ...at });
  await simulator.objects(at.region, 'full', 3);
  await done('bucket.delete-refused', 'DELETE', '/buckets/full');
  await simulator.fault({ effect: 'permanent', operation: 'bucket.create', name: 'refused' });
  await done('bucket.create-refused', 'POST', '/buckets', { name: 'refused', ...at });
}

async function recordJobs(): Promise<void> {
  await done('network.create', 'POST', '/networks', { name: 'net', ...at, cidr: '10.0.0.0/24' });
  await done('volume.create', 'POST', '/volumes', { name: 'vol', ...at, sizeGib: 1 });
  await done('vm.create', 'POST', '/vms', vm('vm', { networks: ['net'], volumes: ['vol'] }));
  await done('vm.delete', 'DELETE', '/vms/vm');
  await done('network.delete', 'DELETE', '/networks/net');
  await done('volume.delete', 'DELETE', '/volumes/vol');

  await simulator.fault({ effect: 'throttle', operation: 'vm.create', name: 'retried', times: 1 });
  await done('vm.create-retried', 'POST', '/vms', vm('retried'));
  await simulator.fault({ effect: 'permanent', operation: 'vm.create', name: 'refused' });
  await done('vm.create-refused', 'POST', '/vms', vm('refused'));
  await simulator.fault({ effect: 'permanent', operation: 'vm.delete', name: 'retried' });
  await done('vm.delete-refused', 'DELETE', '/vms/retried?onFailure=keep');

  await simulator.fault({ effect: 'accept-then-drop', operation: 'vm.create', name: 'held' });
  for (const operation of ['vm.get', 'vm.delete']) {
    await simulator.fault({ effect: 'permanent', operation, name: 'held' });
  }
  const { body } = await api.tenant('POST', '/vms', vm('held'));
  const stuck = await api.jobWhen(body.job.id, isHeld, 60_000);
  await simulator.clearFaults();
  await save('vm.create-held', (await api.settled(stuck.id, 'retry')).workflowId);

  for (const action of settlements) {
    const name = `hold-${action}`;
    await save(`vm.create-${name}`, (await api.settled((await hold(name)).id, action)).workflowId);
  }
  const gone = await hold('revived');
  await client.workflow.getHandle(gone.workflowId).terminate();
  await save('vm.create-revived', (await api.settled(gone.id, 'retry')).workflowId);

  await simulator.fault({ effect: 'hang', operation: 'vm.create', name: 'canceled' });
  const unwanted = await api.tenant('POST', '/vms', vm('canceled'));
  await api.jobWhen(unwanted.body.job.id, ({ steps }) => steps.length > 0);
  await save('vm.create-canceled', (await api.canceled(unwanted.body.job.id)).workflowId);
  await simulator.clearFaults();

  const file = readFileSync(new URL('../../examples/web-shop.yaml', import.meta.url), 'utf8');
  const apply = async (name: string, text = file): Promise<void> => {
    const answer = await api.tenant('POST', '/batches', text);
    await save(name, (await api.jobWhen(answer.body.job.id, undefined, 60_000)).workflowId);
  };
  await simulator.fault({ effect: 'permanent', operation: 'vm.create', name: 'lb-nrt' });
  await apply('batch-rolled-back');
  await simulator.clearFaults();
  await apply('batch');

  await simulator.fault({ effect: 'permanent', operation: 'volume.create', name: 'chain-b' });
  await apply('batch-kept', chain('keep'));
  const batchSettlements = ['retry', 'rollback', 'abandon'] as const;
  for (const action of batchSettlements) {
    const batch = await holdBatch(`held-${action}`);
    await save(`batch-held-${action}`, (await api.settled(batch, action)).workflowId);
  }
  const { body: mended } = await heldInBatch('mended');
  await api.settled(await heldJob(), 'retry');
  await save('batch-operation-retried', (await api.jobWhen(mended.job.id)).workflowId);
  const { body: lost } = await heldInBatch('lost');
  const orphan = await heldJob();
  await client.workflow.getHandle((await api.job(lost.job.id)).workflowId).terminate();
  await api.settled(orphan, 'retry');
  await save('batch-revived', (await api.jobWhen(lost.job.id)).workflowId);
  for (const action of ['retry', 'mark-done', 'abandon'] as const) {
    const batch = await stickBatch(`stuck-${action}`);
    await save(`batch-stuck-${action}`, (await api.settled(batch, action)).workflowId);
  }

  await simulator.fault({ effect: 'hang', operation: 'volume.create', name: 'more-b' });
  const long = await api.tenant('POST', '/batches', chain('rollback', 'more'));
  await until('the batch to be at work', async () => {
    const { counts } = (await api.tenant('GET', '/batches/more')).body;
    return counts.SUCCEEDED > 0 && counts.RUNNING > 0;
  });
  await save('batch-canceled', (await api.canceled(long.body.job.id)).workflowId);
  await simulator.clearFaults();

  const waits = `
name: waits
operations:
  - { id: a, type: volume.create, region: tpe-1, with: { name: waits-a, sizeGib: 1 } }
  - { id: b, type: volume.create, region: tpe-1, when: operations.a.outputs.sizeGib > 1, with: { name: waits-b, sizeGib: 1 } }
  - { id: pause, type: wait.for, with: { duration: 1s } }
  - { id: ok, type: wait.approval, dependsOn: [pause, b], with: { message: May it go on? } }
  - { id: c, type: volume.create, region: tpe-1, dependsOn: [ok], with: { name: waits-c, sizeGib: 1 } }`;
  const because = { reason: 'to be recorded' };
  const waiting = (await api.tenant('POST', '/batches', waits)).body;
  await until('the approval to be waited for', async () => {
    const { items } = (await api.tenant('GET', '/batches/waits/operations?state=WAITING')).body;
    return items.some(({ id }: { id: string }) => id === 'ok');
  });
  await api.tenant('POST', '/batches/waits/pause', because);
  await api.tenant('POST', '/batches/waits/operations/ok/approve', because);
  await api.tenant('POST', '/batches/waits/resume', because);
  await save('batch-waits', (await api.jobWhen(waiting.job.id)).workflowId);

  const many = Array.from(
    { length: 40 },
    (_, index) =>
      `  - { id: m${index}, type: volume.create, region: nrt-1, with: { name: many-${index}, sizeGib: 1 } }`,
  );
  const { job } = (await api.tenant('POST', '/batches', `name: many\noperations:\n${many.join('\n')}\n`)).body;
  const { workflowId } = await api.jobWhen(job.id, undefined, 60_000);
  const [, stem = '', last = '1'] = /^(.*\/)(\d+)$/.exec(workflowId) ?? [];
  for (let number = 1; number <= Number(last); number += 1) await save(`batch-part-${number}`, `${stem}${number}`);
}

const metal = { ...at, bmcAddress: 'host', bmcCredential: 'simulated' };
const imageUrl = 'https://images.example.org/installer.iso';

/** What is done to a host, in an order in which each finds it as it has to be. */
async function recordHosts(): Promise<void> {
  await simulator.host('tpe-1', 'host');
  const act = (verb: string, body: object = {}) =>
    done(`bare-metal-host.${verb}`, 'POST', `/bare-metal-hosts/host/${verb}`, body);
  await done('bare-metal-host.create', 'POST', '/bare-metal-hosts', { name: 'host', ...metal });
  for (const verb of ['manage', 'inspect', 'clean', 'power-on', 'reboot', 'power-off']) await act(verb);
  await act('set-boot-device', { device: 'pxe' });
  await act('insert-media', { imageUrl });
  await act('eject-media');
  await act('provide');
  await act('deploy', { imageUrl });
  await act('rescue', { imageUrl });
  for (const verb of ['unrescue', 'rebuild', 'undeploy']) await act(verb);
  await simulator.fault({ effect: 'permanent', operation: 'bare-metal-host.deploy', name: 'host', times: 1 });
  await done('bare-metal-host.deploy-refused', 'POST', '/bare-metal-hosts/host/deploy', {
    imageUrl,
    onFailure: 'rollback',
  });
  for (const verb of ['undeploy', 'manage'])
    await done(`bare-metal-host.${verb}-again`, 'POST', `/bare-metal-hosts/host/${verb}`, {});
  await act('adopt');
  await done('bare-metal-host.undeploy-adopted', 'POST', '/bare-metal-hosts/host/undeploy', {});
  await done('bare-metal-host.delete', 'DELETE', '/bare-metal-hosts/host');
}

/** Clusters, whose workflows host the jobs of their machines. */
async function recordClusters(): Promise<void> {
  const body = (name: string) => ({
    ...{ name, ...at, version: '1.33', image: 'debian-13' },
    controlPlane: { count: 1, flavor: 'small' },
    pools: [{ name: 'web', count: 2, flavor: 'small' }],
  });
  await done('cluster.create', 'POST', '/clusters', body('one'));
  await simulator.fault({ effect: 'permanent', operation: 'vm.create', name: 'two-web-1' });
  await done('cluster.create-without-machine', 'POST', '/clusters', body('two'));
  await simulator.fault({ effect: 'permanent', operation: 'cluster.bootstrap', name: 'three' });
  await done('cluster.create-refused', 'POST', '/clusters', body('three'));
  await done('cluster.delete', 'DELETE', '/clusters/one');
}

/** Clusters that grow and shrink. */
async function recordClusterScale(): Promise<void> {
  await api.done('POST', '/clusters', {
    ...{ name: 'one', ...at, version: '1.33', image: 'debian-13' },
    controlPlane: { count: 1, flavor: 'small' },
    pools: [{ name: 'web', count: 2, flavor: 'small' }],
  });
  const pools = [
    { name: 'web', count: 1 },
    { name: 'jobs', count: 1, flavor: 'small' },
  ];
  await done('cluster.scale', 'POST', '/clusters/one/scale', { pools });
  await simulator.fault({ effect: 'permanent', operation: 'vm.delete', name: 'one-jobs-0', times: 1 });
  const undone = { controlPlane: { count: 3 }, pools: [{ name: 'jobs', count: 0 }] };
  await done('cluster.scale-undone', 'POST', '/clusters/one/scale', undone);
}

/** VMs whose addresses are assigned. */
async function recordAddresses(): Promise<void> {
  await done('network.create', 'POST', '/networks', { name: 'net', ...at, cidr: '10.0.0.0/29' });
  const joined = (name: string) => vm(name, { networks: ['net'] });
  await done('vm.create', 'POST', '/vms', joined('one'));
  await simulator.fault({ effect: 'permanent', operation: 'vm.create', name: 'refused' });
  await done('vm.create-refused', 'POST', '/vms', joined('refused'));
  await simulator.fault({ effect: 'throttle', operation: 'vm.create', name: 'retried', times: 1 });
  await done('vm.create-retried', 'POST', '/vms', joined('retried'));
  for (const name of ['three', 'four']) await api.done('POST', '/vms', joined(name));
  await done('vm.create-without-room', 'POST', '/vms', joined('six'));
  await done('vm.delete', 'DELETE', '/vms/one');
}

/** A console that is read, and one that its provider does not have. */
async function recordConsole(): Promise<void> {
  await api.done('POST', '/vms', vm('vm'));
  const read = async (name: string): Promise<void> => {
    const { headers } = await api.tenant('GET', '/vms/vm/console-log');
    const { body } = await api.tenant('GET', '/vms/vm');
    await save(name, `vm/console/vm.${body.id.slice(-12)}/${headers.get('x-request-id')}`);
  };
  await read('vm.console');
  await simulator.fault({ effect: 'permanent', operation: 'vm.console', name: 'vm' });
  await read('vm.console-refused');
}

/** Runs over what is as it should be, over what is not, and over what cannot be looked at. */
async function recordReconciliation(): Promise<void> {
  await api.done('POST', '/volumes', { name: 'vol', ...at, sizeGib: 1 });
  const path = '/api/ops/v1/reconciliations/tpe-1/simulator';
  const run = async (name: string): Promise<void> => {
    const { lastRun: before } = (await api.get(path)).body;
    await api.request('POST', `${path}/run`);
    const id = await until('the run to end', async () => {
      const { lastRun } = (await api.get(path)).body;
      const isNew = lastRun?.outcome && lastRun.startedAt !== before?.startedAt;
      return isNew ? lastRun.workflowId : false;
    });
    await save(name, id);
  };
  await run('reconcile');
  await simulator.removeByHand('vol');
  await run('reconcile-missing');
  await simulator.fault({ effect: 'permanent', operation: 'volume.observe' });
  await run('reconcile-away');
}

/** VMs that are placed on a compute host, and what claims more of it. */
async function recordPlacement(): Promise<void> {
  await computeHost(api, { vcpus: 8 });
  await done('vm.create', 'POST', '/vms', vm('placed'));
  await done('vm.resize', 'POST', '/vms/placed/resize', { vcpus: 2 });
  await done('vm.resize-full', 'POST', '/vms/placed/resize', { vcpus: 9 });
  await done('vm.create-nowhere', 'POST', '/vms', vm('nowhere', { placement: { labels: { disk: 'none' } } }));
  await simulator.fault({ effect: 'permanent', operation: 'vm.create', name: 'undone', times: 1 });
  await done('vm.create-undone', 'POST', '/vms', vm('undone'));
}

const parts: Readonly<Record<string, () => Promise<void>>> = {
  jobs: recordJobs,
  acts: recordActs,
  snapshots: recordSnapshots,
  bucket: recordBuckets,
  hosts: recordHosts,
  clusters: recordClusters,
  'cluster-scale': recordClusterScale,
  addresses: recordAddresses,
  console: recordConsole,
  placement: recordPlacement,
  reconcile: recordReconciliation,
};
try {
  const record = parts[part];
  if (!record) throw new Error(`There is no part "${part}". There are: ${Object.keys(parts).join(', ')}.`);
  await record();
} finally {
  await connection.close();
  await platform.stop();
  removeHome(home);
}
