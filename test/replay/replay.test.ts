import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { batchWorkflow, workflowNames } from '../../temporal/names.ts';
import { installRuntime } from '../../workers/telemetry.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';

const folder = fileURLToPath(new URL('./histories/', import.meta.url));
const names = readdirSync(folder).map((file) => file.replace(/\.json$/, ''));
const failureConverterPath = fileURLToPath(new URL('../../temporal/failure-converter.ts', import.meta.url));
const read = (name: string) => JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8'));

let bundle: { codePath: string };
beforeAll(async () => {
  const log = createLogger('test', 'silent');
  installRuntime(log);
  bundle = await workflowBundle(`${inject('parts').home}/cache`, log);
});

const replay = (history: object, workflowId: string) =>
  Worker.runReplayHistory(
    { workflowBundle: bundle, dataConverter: { failureConverterPath } },
    historyFromJSON(history),
    workflowId,
  );

describe('jobs that began under an earlier release go on under this one', () => {
  test.each(names)('%s', async (name) => {
    await replay(read(name), name);
  });
});

test('every workflow has a recorded history', () => {
  const recorded = new Set(
    names.map((name) => read(name).events[0].workflowExecutionStartedEventAttributes.workflowType.name),
  );
  expect(recorded).toEqual(new Set([...Object.values(workflowNames), batchWorkflow]));
});

test('a history that this release would not have made is told apart', async () => {
  const history = read('vm.create');
  const scheduled = history.events.find(
    ({ activityTaskScheduledEventAttributes }: { activityTaskScheduledEventAttributes?: object }) =>
      activityTaskScheduledEventAttributes,
  );
  scheduled.activityTaskScheduledEventAttributes.activityType.name = 'removeVm';
  await expect(replay(history, 'vm.create')).rejects.toThrow(/[Nn]ondeterminism|TMPRL1100/);
});
