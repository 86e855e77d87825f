import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { reconcileNow } from '../harness/reconcile.ts';
import { until } from '../harness/until.ts';
import { millwrightAt } from './millwright.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

const run = (...words: string[]) => millwrightAt(platform.api, words);

test('an operator compares a provider, sees what is missing, and pauses it with a reason', async () => {
  await platform.api.done('POST', '/volumes', { name: 'lost', region: 'tpe-1', sizeGib: 1 });
  await platform.simulator.removeByHand('lost');
  await reconcileNow(platform);
  expect((await run('drift', 'list', '--all', '--region', 'tpe-1')).out).toMatch(/missing +volume +lost .* suspected/);
  expect((await run('drift', 'list')).err + (await run('drift', 'list')).out).toContain('No such drift.');
  await reconcileNow(platform);
  expect((await run('drift', 'list', '--state', 'open')).out).toMatch(/missing +volume +lost .* open/);
  const incident = await until('the drift to be an incident', async () => {
    const listed: unknown = JSON.parse((await run('incident', 'list', '--state', 'open', '-o', 'json')).out);
    return z.array(z.object({ id: z.string() })).parse(listed)[0];
  });
  expect((await run('incident', 'acknowledge', incident.id, '--note', 'asked')).out).toMatch(
    /drift +acknowledged .* asked/,
  );
  expect((await run('incident', 'list', '--all', '--state', 'acknowledged')).out).toContain(incident.id);
  expect((await run('reconcile', 'list')).out).toMatch(
    /tpe-1 +simulator +on demand .*compared: 1 wanted, 0 found, 1 differ/,
  );
  expect((await run('reconcile', 'pause', 'tpe-1', '--reason', 'moving racks')).out).toContain('paused');
  expect((await run('reconcile', 'resume', 'tpe-1')).out).toContain('on demand');
  expect(await run('reconcile', 'run', 'tpe-1', 'nimbus')).toMatchObject({ code: 1 });
});
