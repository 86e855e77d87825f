import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

interface Line {
  readonly msg: string;
  readonly requestId?: string;
  readonly jobId?: string;
  readonly workflowId?: string;
  readonly step?: string;
  readonly region?: string;
}

const lines: string[] = [];
const log = createLogger('test', 'info', { write: (line) => void lines.push(line) });
let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ log, regions: ['tpe-1'] });
});
afterAll(() => platform.stop());

/** As one search for the id finds them. */
const storyOf = (id: string): Line[] => lines.filter((line) => line.includes(id)).map((line) => JSON.parse(line));

const volume = (name: string) => ({ name, region: 'tpe-1', sizeGib: 1 });

test('one search for a job’s id finds its whole story, over all roles, under its request’s id', async () => {
  await platform.simulator.fault({ effect: 'transient', operation: 'volume.create', name: 'told', times: 1 });
  const { headers, body } = await platform.api.tenant('POST', '/volumes', volume('told'));
  const job = await platform.api.jobWhen(body.job.id);
  const story = await until('the start to be logged', async () => {
    const found = storyOf(job.id);
    return found.some(({ msg }) => msg === 'workflow started') && found;
  });
  expect(story.map(({ msg }) => msg)).toEqual(
    expect.arrayContaining([
      'job accepted',
      'workflow started',
      'job RUNNING, step create RUNNING',
      'attempt failed',
      'job RETRYING, step create RETRYING',
      'attempt succeeded',
      'job SUCCEEDED',
    ]),
  );
  for (const line of story) {
    expect(line).toMatchObject({
      requestId: headers.get('x-request-id'),
      jobId: job.id,
      workflowId: job.workflowId,
      region: 'tpe-1',
    });
  }
});

test('the jobs of a batch’s operations tell of the request that applied it', async () => {
  const file = `name: logged\nversion: 1\noperations:\n  - {id: one, type: volume.create, region: tpe-1, with: {name: logged-1, sizeGib: 1}}\n`;
  const { status, headers, body } = await platform.api.tenant('POST', '/batches', file);
  expect(status, JSON.stringify(body)).toBe(202);
  await platform.api.jobWhen(body.job.id);
  const { items } = (await platform.api.tenant('GET', `/jobs?batch=${body.resource.id}`)).body;
  const story = storyOf(items[0].id);
  expect(story.map(({ msg }) => msg)).toEqual(expect.arrayContaining(['attempt succeeded', 'job SUCCEEDED']));
  for (const line of story) expect(line).toMatchObject({ requestId: headers.get('x-request-id') });
});
