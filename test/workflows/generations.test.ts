import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

/** Few enough that a batch of some dozen operations needs several workflows. */
const eventsAtMost = 80;

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({
    environment: {
      MILLWRIGHT_BATCH_EVENTS: String(eventsAtMost),
      MILLWRIGHT_PROVIDER_TIMEOUT_MS: '4000',
      MILLWRIGHT_STEP_ATTEMPTS: '100',
      MILLWRIGHT_WORKFLOW_TASK_TIMEOUT_MS: '25000',
    },
  });
});
afterAll(() => platform.stop());

const volume = (name: string, more = ''): string =>
  `  - { id: ${name}, type: volume.create, region: nrt-1, with: { name: ${name}, sizeGib: 1 }${more} }`;
const volumes = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => volume(`${name}-${index}`));
const apply = async (
  name: string,
  operations: readonly string[],
  parallelLimit = 4,
): Promise<{ id: string; jobId: string }> => {
  const file = `name: ${name}\nparallelLimit: ${parallelLimit}\noperations:\n${operations.join('\n')}\n`;
  const { status, body } = await platform.api.tenant('POST', '/batches', file);
  expect(status).toBe(202);
  return { id: body.resource.id, jobId: body.job.id };
};
const batchOf = async (id: string) => (await platform.api.tenant('GET', `/batches/${id}`)).body;

interface Generation {
  readonly workflowId: string;
  readonly events: number;
  readonly isOpen: boolean;
  readonly taskTimeoutSeconds: number;
}

async function generationsOf(id: string): Promise<Generation[]> {
  const found: Generation[] = [];
  for (let number = 1; ; number += 1) {
    const { name } = await batchOf(id);
    const workflowId = `batch/${name}.${id.slice(-12)}/${number}`;
    const described = await platform.temporal.workflow
      .getHandle(workflowId)
      .describe()
      .catch(() => undefined);
    if (!described) return found;
    const { raw, historyLength: events, status } = described;
    const taskTimeoutSeconds = Number(raw.executionConfig?.defaultWorkflowTaskTimeout?.seconds);
    found.push({ workflowId, events, isOpen: status.name === 'RUNNING', taskTimeoutSeconds });
  }
}

const inGeneration = (id: string, number: number): Promise<unknown> =>
  until(`batch ${id} to be in its workflow ${number}`, async () => {
    const { workflowId } = await batchOf(id);
    return Number(workflowId.split('/').at(-1)) >= number;
  });

test('a batch that is long for one workflow goes on in others, each of a bounded history, and does everything once', async () => {
  const { api, simulator } = platform;
  const { id, jobId } = await apply('long', volumes('long', 60));
  expect(await api.jobWhen(jobId)).toMatchObject({ state: 'SUCCEEDED' });
  expect((await batchOf(id)).counts).toEqual({ SUCCEEDED: 60 });
  const generations = await generationsOf(id);
  expect(generations.length).toBeGreaterThan(2);
  for (const { events, taskTimeoutSeconds } of generations) {
    expect(events).toBeLessThan(2 * eventsAtMost);
    expect(taskTimeoutSeconds).toBe(25);
  }
  const creates = (await simulator.calls()).filter(
    ({ operation, name }) => operation === 'volume.create' && name?.startsWith('long-'),
  );
  expect(creates).toHaveLength(60);
  await until('every workflow of it to end', async () => (await generationsOf(id)).every(({ isOpen }) => !isOpen));
  await expectConsistent(platform);
});

test('an operation that takes long holds up neither the others nor the change of workflow', async () => {
  const { api, simulator } = platform;
  const hung = await simulator.fault({ effect: 'hang', operation: 'volume.create', name: 'slow-first' });
  const { id, jobId } = await apply('slow', [
    volume('slow-first'),
    ...volumes('slow', 50),
    volume('slow-last', ', dependsOn: [slow-first]'),
  ]);
  const others = await until('all others to be done while it hangs', async () => {
    const { counts } = await batchOf(id);
    return counts.SUCCEEDED === 50 && counts;
  });
  expect(others).toMatchObject({ RUNNING: 1, PENDING: 1 });
  const [first, ...later] = await generationsOf(id);
  expect(first?.isOpen).toBe(true);
  expect(later.length).toBeGreaterThan(1);
  await simulator.removeFault(hung);
  expect(await api.jobWhen(jobId)).toMatchObject({ state: 'SUCCEEDED' });
  expect((await batchOf(id)).counts).toEqual({ SUCCEEDED: 52 });
  await expectConsistent(platform);
});

test('a batch that fails late takes everything back, in as many workflows as that needs', async () => {
  const { api, simulator } = platform;
  await simulator.fault({ effect: 'permanent', operation: 'volume.create', name: 'undone-last' });
  const all = volumes('undone', 40);
  const waits = Array.from({ length: 40 }, (_, index) => `undone-${index}`).join(', ');
  const { id, jobId } = await apply('undone', [...all, volume('undone-last', `, dependsOn: [${waits}]`)]);
  expect(await api.jobWhen(jobId)).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  expect((await batchOf(id)).counts).toEqual({ ROLLED_BACK: 40, FAILED: 1 });
  for (const { events } of await generationsOf(id)) expect(events).toBeLessThan(2 * eventsAtMost);
  expect((await simulator.names()).filter((name) => name.includes('undone'))).toEqual([]);
  await expectConsistent(platform);
});

test('canceled, a batch takes back what its earlier workflows host as well', async () => {
  const { api, simulator } = platform;
  await simulator.fault({ effect: 'hang', operation: 'volume.create', name: 'unwanted-first' });
  const { id, jobId } = await apply('unwanted', [
    volume('unwanted-first'),
    ...volumes('unwanted', 40),
    volume('unwanted-end', ', dependsOn: [unwanted-first]'),
  ]);
  await inGeneration(id, 2);
  expect(await api.canceled(jobId)).toMatchObject({ state: 'CANCELED', rollback: 'complete' });
  expect((await simulator.names()).filter((name) => name.includes('unwanted'))).toEqual([]);
  await expectConsistent(platform);
});

test('a batch whose newest workflow is lost goes on, and does nothing again that an earlier one hosts', async () => {
  const { api, simulator } = platform;
  const hung = await simulator.fault({ effect: 'hang', operation: 'volume.create', name: 'lost-first' });
  const { id, jobId } = await apply('lost', [volume('lost-first'), ...volumes('lost', 60)]);
  await inGeneration(id, 2);
  // The database names it a moment before it begins.
  await until('its newest workflow to be terminated', async () => {
    const { workflowId } = await batchOf(id);
    return platform.terminate(workflowId).then(
      () => true,
      () => false,
    );
  });
  await until('all others to be done', async () => (await batchOf(id)).counts.SUCCEEDED === 60);
  await simulator.removeFault(hung);
  expect(await api.jobWhen(jobId)).toMatchObject({ state: 'SUCCEEDED' });
  expect((await batchOf(id)).counts).toEqual({ SUCCEEDED: 61 });
  await expectConsistent(platform);
});

test('an operation whose workflow is lost is gone on with by the newest', async () => {
  const { api, simulator } = platform;
  const hung = await simulator.fault({ effect: 'hang', operation: 'volume.create', name: 'adopted-first' });
  const { id, jobId } = await apply('adopted', [volume('adopted-first'), ...volumes('adopted', 40)]);
  await until('all others to be done', async () => (await batchOf(id)).counts.SUCCEEDED === 40);
  const [first] = await generationsOf(id);
  await platform.terminate(first?.workflowId ?? '');
  await simulator.removeFault(hung);
  expect(await api.jobWhen(jobId)).toMatchObject({ state: 'SUCCEEDED' });
  expect((await batchOf(id)).counts).toEqual({ SUCCEEDED: 41 });
  await expectConsistent(platform);
});
