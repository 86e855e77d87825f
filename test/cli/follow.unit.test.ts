import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { clock } from '../../cli/text.ts';
import type { JobEvent, JobView } from '../../src/domain/job.ts';
import { drop, type FakeApi, json, problem, startApi, stream } from './api.ts';
import { at, millwright } from './millwright.ts';
import { batch, event, job, jobOf, operation, vm } from './things.ts';

let api: FakeApi;
afterEach(() => api.stop());

const step = (
  name: string,
  state: 'RUNNING' | 'SUCCEEDED' | 'RETRYING',
  attempts = 1,
  nextAttemptAt: string | null = null,
) => ({
  name,
  state,
  attempts,
  nextAttemptAt,
});
const notFound = { status: 404, code: 'not_found', title: 'Not found', detail: 'Gone.' } as const;
const create = ['vm', 'create', 'web-1', '--region', 'tpe-1', '--image', 'debian-13'];

/** A create whose job ends as `ended`, after these events. */
function serve(ended: JobView, events: readonly JobEvent[], resource = vm('web-1', { id: ended.resource.id })) {
  const begun = { ...ended, state: 'PENDING' as const, rollback: 'none' as const, error: null };
  return startApi({
    'POST /vms': (_, response) => json(response, { resource, job: begun }, 202),
    [`GET /jobs/${ended.id}/events`]: (_, response) => {
      stream(response, events);
      response.end();
    },
    [`GET /jobs/${ended.id}`]: (_, response) => json(response, ended),
    [`GET /vms/${ended.resource.id}`]: (_, response) =>
      ended.state === 'SUCCEEDED' ? json(response, resource) : problem(response, notFound),
  });
}

test('--wait is silent, and gives the resource as it then is', async () => {
  const ended = job({ state: 'SUCCEEDED' });
  api = await serve(ended, [event(ended), event(ended, { state: 'SUCCEEDED' })]);
  const { code, out, err } = await millwright([...create, '--wait', '-o', 'json'], { env: at(api.url) });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(JSON.parse(out)).toMatchObject({ resource: { status: 'running' }, job: { state: 'SUCCEEDED' } });
});

test('--watch without a terminal is a line for each event', async () => {
  const ended = job({ state: 'SUCCEEDED', endedAt: new Date().toISOString() });
  const error = { code: 'unavailable' as const, message: 'The provider gave no answer.' };
  const [now, next] = ['2026-11-23T12:03:04.000Z', '2026-11-23T12:03:09.000Z'];
  const events = [
    event(ended, { step: step('create', 'RUNNING') }),
    event(ended, { state: 'RETRYING', step: step('create', 'RETRYING', 2, next), error }),
    event(ended, { step: step('create', 'SUCCEEDED', 3), error }),
    event(ended, { state: 'SUCCEEDED' }),
  ];
  api = await serve(ended, events);
  const { code, err } = await millwright([...create, '--watch'], { env: at(api.url) });
  expect(code).toBe(0);
  expect(err.split('\n').slice(0, 4)).toEqual([
    `${clock(now)} web-1 vm.create RUNNING step create`,
    `${clock(now)} web-1 vm.create RETRYING step create attempt 2, next try ${clock(next)}: The provider gave no answer.`,
    `${clock(now)} web-1 vm.create RUNNING step create SUCCEEDED attempt 3`,
    `${clock(now)} web-1 vm.create SUCCEEDED`,
  ]);
  expect(err).toMatch(/\nvm\.create web-1 SUCCEEDED in 1[78]s\.\n$/);
});

test('watching goes on after the last event seen when the connection drops', async () => {
  const running = job({ state: 'RUNNING' });
  const events = [
    event(running),
    event(running, { step: step('create', 'RUNNING') }),
    event(running, { state: 'SUCCEEDED' }),
  ];
  let times = 0;
  api = await startApi({
    [`GET /jobs/${running.id}`]: (_, response) =>
      json(response, times > 2 ? { ...running, state: 'SUCCEEDED' } : running),
    [`GET /jobs/${running.id}/events`]: (_, response) => {
      times += 1;
      if (times === 2) return drop(response);
      stream(response, times === 1 ? events.slice(0, 2) : events.slice(2), events);
      if (times === 1) response.write('data: {"half', () => response.destroy());
      else response.end();
    },
  });
  const { code, err } = await millwright(['job', 'watch', running.id], { env: at(api.url) });
  const asked = api.asked.filter(({ path }) => path.endsWith('/events'));
  expect(code).toBe(0);
  expect(asked.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '1.2', '1.2']);
  expect(err.match(/ vm\.create RUNNING/g)).toHaveLength(2);
  expect(err.match(/Trying again\./g)).toHaveLength(1);
});

test('a job that fails ends with 1, its error, what became of what it did, and where to look', async () => {
  const failed = job({
    state: 'FAILED',
    rollback: 'complete',
    error: { code: 'capacity', message: 'No room in tpe-1.' },
  });
  api = await serve(failed, [event(failed, { state: 'FAILED', rollback: 'complete' })]);
  const { code, out, err } = await millwright([...create, '--wait'], { env: at(api.url) });
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err.split('\n')).toEqual([
    'millwright: error: vm.create web-1 FAILED: No room in tpe-1.',
    'What it had done is undone.',
    `See all of it with "millwright job get ${failed.id}".`,
    '',
  ]);
});

test('of what is deleted only the job is left to show, once for each', async () => {
  const deleted = (name: string): JobView =>
    job({ type: 'vm.delete', state: 'SUCCEEDED', resource: { id: randomUUID(), kind: 'vm', name } });
  const [one, two] = [deleted('web-1'), deleted('web-2')];
  const accept = (of: JobView) => (_: unknown, response: ServerResponse) =>
    json(response, { resource: vm(of.resource.name, { status: 'deleting' }), job: { ...of, state: 'PENDING' } }, 202);
  const end = (of: JobView) => (_: unknown, response: ServerResponse) =>
    stream(response, [event(of, { state: 'SUCCEEDED' })]);
  api = await startApi({
    'DELETE /vms/web-1': accept(one),
    'DELETE /vms/web-2': accept(two),
    [`GET /jobs/${one.id}/events`]: end(one),
    [`GET /jobs/${two.id}/events`]: end(two),
    [`GET /jobs/${one.id}`]: (_, response) => json(response, one),
    [`GET /jobs/${two.id}`]: (_, response) => json(response, two),
  });
  const words = ['vm', 'delete', 'web-1', 'web-2', '--wait', '-o', 'json'];
  const { code, out } = await millwright(words, { env: at(api.url) });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual([
    { resource: null, job: one },
    { resource: null, job: two },
  ]);
});

test('a job that is held ends the waiting with 1, what is left over, and how to settle it', async () => {
  const error = { code: 'unavailable' as const, message: 'No answer.' };
  const held = job({ state: 'HELD', rollback: 'stuck', leftovers: ['create'], error });
  api = await serve(held, [event(held, { state: 'HELD', rollback: 'stuck' })]);
  const { code, err } = await millwright([...create, '--wait'], { env: at(api.url) });
  expect(code).toBe(1);
  expect(err).toContain('vm.create web-1 HELD: No answer.\nUndoing it is stuck. Left over: create.\n');
  expect(err).toContain(`Mend the cause, then: millwright job settle ${held.id} retry --reason "…"\n`);
});

test('a job that was held and settled is followed to its end', async () => {
  const ended = job({ state: 'CANCELED', rollback: 'complete' });
  const states = ['HELD', 'RUNNING', 'CANCELED'] as const;
  api = await serve(
    { ...ended, state: 'SUCCEEDED' },
    states.map((state) => event(ended, { state })),
  );
  const { err } = await millwright([...create, '--watch'], { env: at(api.url) });
  expect(err.match(/ vm\.create (HELD|RUNNING|CANCELED)/g)).toHaveLength(3);
});

test('a batch of which all that is left is held ends the waiting, and says which operation to settle', async () => {
  const error = { code: 'unavailable' as const, message: 'No answer.' };
  const one = batch([operation('db', 'RUNNING')], { state: 'RUNNING' });
  const [running, held] = [jobOf(one, { state: 'RUNNING' }), job({ state: 'HELD', operationId: 'db', error })];
  api = await startApi({
    'POST /batches': (_, response) => json(response, { resource: one, job: running }, 202),
    [`GET /jobs/${running.id}/events`]: (_, response) => stream(response, [event(held, { state: 'HELD', error })]),
    [`GET /jobs/${running.id}`]: (_, response) => json(response, running),
    'GET /jobs': ({ query }, response) =>
      json(response, { items: query.get('state') === 'HELD' ? [held] : [], nextCursor: null }),
    [`GET /batches/${one.id}`]: (_, response) => json(response, one),
    [`GET /batches/${one.id}/operations`]: ({ query }, response) =>
      json(response, {
        items: one.operations.filter(({ state }) => query.getAll('state').includes(state)),
        nextCursor: null,
      }),
  });
  const { code, err } = await millwright(['batch', 'apply', '-', '--wait'], { env: at(api.url) });
  expect(code).toBe(1);
  expect(err).toContain('Operation db (vm.create) is HELD: No answer.\n');
  expect(err).toContain(`millwright job settle ${held.id} retry`);
});

test('a batch that fails names the operations that made it fail', async () => {
  const error = { code: 'capacity' as const, message: 'No room.' };
  const one = batch([operation('db', 'FAILED', { error }), operation('web', 'SKIPPED')], { state: 'FAILED' });
  const failed = jobOf(one, { state: 'FAILED', error: { code: 'capacity', message: 'Operation "db": No room.' } });
  api = await startApi({
    'POST /batches': (_, response) => json(response, { resource: one, job: { ...failed, state: 'PENDING' } }, 202),
    [`GET /jobs/${failed.id}/events`]: (_, response) => stream(response, [event(failed, { state: 'FAILED' })]),
    [`GET /jobs/${failed.id}`]: (_, response) => json(response, failed),
    'GET /jobs': (_, response) => json(response, { items: [], nextCursor: null }),
    [`GET /batches/${one.id}`]: (_, response) => json(response, one),
    [`GET /batches/${one.id}/operations`]: ({ query }, response) =>
      json(response, {
        items: one.operations.filter(({ state }) => query.getAll('state').includes(state)),
        nextCursor: null,
      }),
  });
  const { code, out, err } = await millwright(['batch', 'apply', '-', '--wait'], { env: at(api.url) });
  expect(code).toBe(1);
  expect(out).toMatch(/^web .* FAILED .* 0\/2/m);
  expect(err).toContain('Operation db (vm.create) FAILED: No room.\n');
  expect(err).not.toContain('Operation web');
});

test('Ctrl-C while watching leaves the job alone and says how to watch it again', async () => {
  const running = job({ state: 'RUNNING' });
  api = await startApi({
    [`GET /jobs/${running.id}`]: (_, response) => json(response, running),
    [`GET /jobs/${running.id}/events`]: (_, response) => stream(response, [event(running)]),
  });
  const interrupt = new AbortController();
  const { code, err } = await millwright(['job', 'watch', running.id], {
    env: at(api.url),
    interrupt: interrupt.signal,
    onTalk: (said) => said.includes('RUNNING') && interrupt.abort('SIGINT'),
  });
  expect(code).toBe(130);
  expect(err).toContain(`The job goes on without us. Watch again with:\n  millwright job watch ${running.id}\n`);
});

test('an API that stays away ends the watching, and says that the job goes on', async () => {
  const running = job({ state: 'RUNNING' });
  api = await startApi({
    [`GET /jobs/${running.id}`]: (_, response) => json(response, running),
    [`GET /jobs/${running.id}/events`]: (_, response) => drop(response),
  });
  const patience = { followMs: 5 };
  const { code, err } = await millwright(['job', 'watch', running.id], { env: at(api.url), patience });
  expect(code).toBe(1);
  expect(err).toContain(`The job goes on without us. Watch again with:\n  millwright job watch ${running.id}\n`);
});

test('on a terminal the progress is redrawn in place, failures stay, and the cursor comes back', async () => {
  const error = { code: 'capacity' as const, message: 'No room.' };
  const one = batch([operation('db', 'UNCHANGED'), operation('web', 'FAILED', { error })], { state: 'FAILED' });
  const [failed, web] = [jobOf(one, { state: 'FAILED' }), job({ state: 'FAILED', operationId: 'web', error })];
  const events = [
    event(failed),
    event(web),
    event(web, { state: 'FAILED', error }),
    event(failed, { state: 'FAILED' }),
  ];
  api = await startApi({
    'POST /batches': (_, response) =>
      json(response, { resource: { ...one, state: 'RUNNING' }, job: { ...failed, state: 'RUNNING' } }, 202),
    [`GET /jobs/${failed.id}/events`]: (_, response) => stream(response, events),
    [`GET /jobs/${failed.id}`]: (_, response) => json(response, failed),
    'GET /jobs': (_, response) => json(response, { items: [], nextCursor: null }),
    [`GET /batches/${one.id}`]: (_, response) => json(response, one),
    [`GET /batches/${one.id}/operations`]: ({ query }, response) =>
      json(response, {
        items: one.operations.filter(({ state }) => query.getAll('state').includes(state)),
        nextCursor: null,
      }),
  });
  const cursor: string[] = [];
  const terminal = {
    columns: 100,
    rows: 10,
    hideCursor: () => cursor.push('hide'),
    showCursor: () => cursor.push('show'),
  };
  const env = { ...at(api.url), NO_COLOR: '1' };
  const { err } = await millwright(['batch', 'apply', '-', '--watch'], { env, terminal });
  expect(cursor).toEqual(['hide', 'show']);
  expect(err).toContain('\u001b[2A\r');
  expect(err).toContain(`web vm.create FAILED: No room.`);
  expect(stripVTControlCharacters(err)).toMatch(
    /batch\.apply web {2}█+░+ {2}1\/2 {2}FAILED .*\n {2}1 unchanged, 1 failed/,
  );
  expect(err).not.toContain('\u001b[3');
});
