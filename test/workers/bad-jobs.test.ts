import { expect, test } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { startControlWorker } from '../../workers/control.ts';
import { startRegionWorker } from '../../workers/region.ts';
import { startTestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

const volume = (name: string): object => ({ name, region: 'tpe-1', sizeGib: 1 });

test('a job that cannot be opened keeps no younger one from being revived', async () => {
  const platform = await startTestPlatform({ regions: ['tpe-1'] });
  const { api, simulator, sql } = platform;
  try {
    await simulator.fault({ effect: 'hang', operation: 'volume.create', times: 2 });
    const jobs = [];
    for (const name of ['bad', 'good']) jobs.push((await api.tenant('POST', '/volumes', volume(name))).body.job);
    await until(
      'both to be under way',
      async () => (await simulator.calls()).filter(({ fault }) => fault).length === 2,
    );
    await sql`UPDATE jobs SET input = jsonb_set(input, '{spec}', '{"$sealed": "nonsense"}') WHERE id = ${jobs[0].id}`;
    for (const { workflowId } of jobs) await platform.terminate(workflowId);
    expect(await api.jobWhen(jobs[1].id)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await api.job(jobs[0].id)).toMatchObject({ state: 'RUNNING' });
  } finally {
    await platform.stop();
  }
});

test('a thousand jobs that cannot be started hide none that can', async () => {
  const platform = await startTestPlatform({ control: false });
  const { api, sql, config } = platform;
  const log = createLogger('test', 'silent');
  // Nobody has made the namespace, so that nothing is started.
  const [bad, good] = [
    (await api.tenant('POST', '/volumes', volume('bad'))).body.job.id,
    (await api.tenant('POST', '/volumes', volume('good'))).body.job.id,
  ];
  await sql`UPDATE jobs SET input = jsonb_set(input, '{type}', '"nonsense"') WHERE id = ${bad}`;
  await sql`
    INSERT INTO jobs SELECT copy.* FROM jobs j, generate_series(1, 1000) AS n,
      jsonb_populate_record(j, jsonb_build_object('id', gen_random_uuid(), 'workflow_id', 'bad-' || n)) AS copy
    WHERE j.id = ${bad}`;
  const roles = [await startControlWorker(config, log), await startRegionWorker('tpe-1')(config, log)];
  try {
    expect(await api.jobWhen(good)).toMatchObject({ state: 'SUCCEEDED' });
  } finally {
    await Promise.all(roles.map((role) => role.stop()));
    await platform.stop();
  }
});
