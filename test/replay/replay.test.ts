import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { operationTypes } from '../../src/domain/kinds.ts';
import { createLogger } from '../../src/log.ts';
import { batchWorkflow, consoleWorkflow, reconcileWorkflow, workflowName } from '../../temporal/names.ts';
import { installRuntime } from '../../workers/telemetry.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';

const folder = fileURLToPath(new URL('./histories/', import.meta.url));
/** `<shape>/<name>`: a shape is what the workflows of one release left in histories, and is never changed. */
const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.replace(/\.json$/, ''));
const failureConverterPath = fileURLToPath(new URL('../../temporal/failure-converter.ts', import.meta.url));
const read = (name: string) => JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8'));

let bundle: { codePath: string };
beforeAll(async () => {
  const log = createLogger('test', 'silent');
  await installRuntime(log);
  bundle = await workflowBundle(`${inject('parts').home}/cache`, log);
});

const replay = (history: object, workflowId: string) =>
  Worker.runReplayHistory(
    { workflowBundle: bundle, dataConverter: { failureConverterPath } },
    historyFromJSON(history),
    workflowId,
  );

describe('jobs that began under any earlier release go on under this one', () => {
  test.each(names)('%s', async (name) => {
    await replay(read(name), name);
  });
});

test('every workflow has a recorded history', () => {
  const recorded = new Set(
    names.map((name) => read(name).events[0].workflowExecutionStartedEventAttributes.workflowType.name),
  );
  // HTTP requests are hosted by their batches, whose histories are recorded; alone only where the batch is lost.
  const named = operationTypes.map(workflowName);
  // `applyBatch` is the workflow of batches that began under 0.2 or before.
  expect(recorded).toEqual(new Set(['applyBatch', batchWorkflow, consoleWorkflow, reconcileWorkflow, ...named]));
});

test('a history that this release would not have made is told apart', async () => {
  const history = read('0.1.0/vm.create');
  const scheduled = history.events.find(
    ({ activityTaskScheduledEventAttributes }: { activityTaskScheduledEventAttributes?: object }) =>
      activityTaskScheduledEventAttributes,
  );
  scheduled.activityTaskScheduledEventAttributes.activityType.name = 'removeVm';
  await expect(replay(history, 'changed')).rejects.toThrow(/[Nn]ondeterminism|TMPRL1100/);
});

/**
 * The files of a shape by their content. A shape that is rewritten proves nothing: a change of the workflows that breaks
 * one goes behind `patched()`, and what is new is recorded as a shape of its own.
 */
const shapes = {
  '0.1.0': 'c79f4f90d2bdb6a7',
  '0.2.0': '702ca5fdc3b5532d',
  '0.3.0': 'da0ae697be5c7f78',
  '0.4.0-acts': 'a0f4541392375d90',
  '0.4.0-hosts': '8575eb28d113ea35',
  '0.4.0-snapshots': '2be8118f5138d90a',
  '0.4.0-addresses': 'd4701afbce066987',
  '0.4.0-console': 'a6dc68fca3429cdd',
  '0.4.0-placement': 'cab2d819915286e4',
  '0.4.0-clusters': 'e4d16e948854a3b1',
  '0.4.0-buckets': 'a0828b5d19eaadb4',
  '0.4.0-cluster-scale': 'dfbfecef729edd15',
  '0.4.0-reconcile': '19ec932fe6339b73',
  '0.4.0-not-compared': 'e139622fdd95afd5',
} as const;

test('a shape that was recorded is never rewritten', () => {
  const sums = Object.fromEntries(readdirSync(folder).map((shape) => [shape, sumOf(shape)]));
  expect(sums).toEqual(shapes);
});

function sumOf(shape: string): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(folder + shape).toSorted()) hash.update(readFileSync(`${folder}${shape}/${file}`));
  return hash.digest('hex').slice(0, 16);
}
