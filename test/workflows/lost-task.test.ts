import { afterAll, beforeAll, expect, test } from 'vitest';
import { createControlActivities } from '../../activities/control/index.ts';
import { type Database, openDatabase } from '../../src/db/client.ts';
import { createLogger } from '../../src/log.ts';
import { catalogReader } from '../../src/requests/catalog.ts';
import { jobLimits } from '../../src/requests/limits.ts';
import { openSealer } from '../../src/secrets/specs.ts';
import { openRegistry } from '../../src/telemetry/registry.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
let database: Database;
beforeAll(async () => {
  platform = await startTestPlatform();
  database = openDatabase(platform.config.DATABASE_URL ?? '');
});
afterAll(async () => {
  await database.close();
  await platform.stop();
});

test('an operation that a lost workflow task began is ended with its batch', async () => {
  const { api, simulator, sql, config } = platform;
  await simulator.fault({ effect: 'hang', operation: 'volume.create', name: 'lost-first' });
  const file = `name: lost-task
operations:
  - { id: first, type: volume.create, region: tpe-1, with: { name: lost-first, sizeGib: 1 } }
  - { id: second, type: volume.create, region: tpe-1, dependsOn: [first], with: { name: lost-second, sizeGib: 1 } }
`;
  const { body } = await api.tenant('POST', '/batches', file);
  await simulator.hit('lost-first');
  // What a local activity did stays done where the workflow task around it is lost: the database has it, the workflow has not.
  const activities = createControlActivities({
    database,
    catalog: catalogReader(database),
    limits: jobLimits(config),
    sealer: openSealer(config, sql),
    suspectShare: 0.2,
    registry: openRegistry('test'),
    log: createLogger('test', 'silent'),
  });
  const [begun] = await activities.beginOperations(body.resource.id, [{ operationId: 'second', direction: 'forth' }]);
  expect(begun).toHaveProperty('job');
  expect(await api.canceled(body.job.id)).toMatchObject({ state: 'CANCELED', rollback: 'complete' });
  const { body: page } = await api.tenant('GET', `/jobs?batch=${body.resource.id}`);
  expect(page.items.map(({ state }: { state: string }) => state)).toEqual(['CANCELED', 'CANCELED']);
  const { body: batch } = await api.tenant('GET', '/batches/lost-task');
  expect(batch.counts).toEqual({ CANCELED: 2 });
  await expectConsistent(platform);
});
