import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BatchFile, BatchOperation } from '../../src/batch/file.ts';
import { type Database, openDatabase } from '../../src/db/client.ts';
import { acceptBatch } from '../../src/requests/batch.ts';
import type { Caller } from '../../src/requests/caller.ts';
import { catalogReader } from '../../src/requests/catalog.ts';
import { jobLimits } from '../../src/requests/limits.ts';
import { veiledFile } from '../../src/requests/plan/hash.ts';
import type { Sealer } from '../../src/secrets/sealer.ts';
import { openSealer, openSpec, placeOfOperation, placeOfVariable } from '../../src/secrets/specs.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
let database: Database;
let sealer: Sealer;
beforeAll(async () => {
  platform = await startTestPlatform({ control: false });
  database = openDatabase(platform.config.DATABASE_URL ?? '');
  sealer = openSealer(platform.config, database.sql);
});
afterAll(async () => {
  await database.close();
  await platform.stop();
});

const token = 'Bearer a-token-that-nobody-may-read';
const password = 'a-password-that-nobody-may-read';

const operation = (id: string, type: BatchOperation['type'], more: Partial<BatchOperation>): BatchOperation => ({
  id,
  type,
  dependsOn: [],
  softDependsOn: [],
  conditions: [],
  with: {},
  ...more,
});

const file: BatchFile = {
  name: 'whole',
  version: 3,
  parallelLimit: 7,
  onFailure: 'hold',
  replace: 'allow',
  timeoutSeconds: 600,
  limits: { web: 2 },
  secrets: { password },
  operations: [
    operation('call', 'http.request', {
      region: 'tpe-1',
      with: {
        url: 'https://example.org/hook',
        method: 'POST',
        headers: { authorization: token, 'x-plain': '1' },
        body: { pin: 271828, words: [`\${variables.password}`] },
        undo: { url: 'https://example.org/hook', headers: { authorization: token }, body: token },
      },
      retry: { maximumAttempts: 3 },
      timeoutSeconds: 30,
      onFailure: 'keep',
    }),
    operation('web/a', 'vm.create', {
      region: 'tpe-1',
      softDependsOn: ['call'],
      conditions: [{ expression: 'variables.env == "prod"', variables: { env: 'prod' }, scope: '' }],
      with: { name: 'whole-a', flavor: 'small', image: 'debian-13', userData: `\${variables.password}` },
    }),
    operation('web', 'group.join', { dependsOn: ['web/a'] }),
  ],
};

async function accept(): Promise<{ batchId: string; jobId: string }> {
  const { organization, project } = (
    await platform.sql<Pick<Caller, 'organization' | 'project'>[]>`
      SELECT jsonb_build_object('id', o.id, 'name', o.name) AS organization, jsonb_build_object('id', p.id, 'name', p.name) AS project
      FROM projects p JOIN organizations o ON o.id = p.organization_id WHERE p.name = 'default'`
  )[0] ?? { organization: { id: '', name: '' }, project: { id: '', name: '' } };
  const caller = { organization, project, actor: 'test', origin: null };
  const options = { limits: jobLimits(platform.config), sealer };
  const accepted = await acceptBatch(database.sql, caller, await catalogReader(database)(), file, options);
  return { batchId: accepted.resourceId, jobId: accepted.jobId };
}

test('all that a file says of a batch is written, and what is secret is sealed', async () => {
  const { batchId, jobId } = await accept();
  const [batch] = await platform.sql`SELECT * FROM batches WHERE id = ${batchId}`;
  expect(batch).toMatchObject({ version: 3, parallel_limit: 7, on_failure: 'hold', limits: { web: 2 } });
  expect(await openSpec(sealer, batch?.secrets.password, placeOfVariable(batchId, 'password'))).toBe(password);
  const rows = await platform.sql`SELECT * FROM batch_operations WHERE batch_id = ${batchId} ORDER BY position`;
  expect(rows).toMatchObject([
    {
      id: 'call',
      action: 'run',
      policy: { retry: { maximumAttempts: 3 }, timeoutSeconds: 30, onFailure: 'keep' },
      conditions: [],
    },
    {
      id: 'web/a',
      action: 'create',
      soft_depends_on: ['call'],
      conditions: [{ expression: 'variables.env == "prod"', variables: { env: 'prod' }, scope: '' }],
      policy: {},
    },
    { id: 'web', type: 'group.join', action: 'run', depends_on: ['web/a'] },
  ]);
  const stored = JSON.stringify([batch, rows]);
  for (const secret of [token, password, '271828']) expect(stored).not.toContain(secret);
  expect(await openSpec(sealer, rows[0]?.spec, placeOfOperation(batchId, 'call'))).toEqual(file.operations[0]?.with);
  const { body: job } = await platform.api.get(`/api/tenant/v1/jobs/${jobId}`);
  const seconds = (Date.parse(job.deadlineAt) - Date.parse(job.createdAt)) / 1000;
  expect(seconds).toBeGreaterThan(595);
  expect(seconds).toBeLessThan(605);
});

test('the hash of a file is taken without its secrets', async () => {
  const veiled = JSON.stringify(await veiledFile(sealer, file));
  for (const secret of [token, password, '271828']) expect(veiled).not.toContain(secret);
  const other = { ...file, secrets: { password: `${password}!` } };
  expect(JSON.stringify(await veiledFile(sealer, other))).not.toBe(veiled);
});
