import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BatchFile, BatchOperation } from '../../src/batch/file.ts';
import { openDatabase } from '../../src/db/client.ts';
import type { Caller } from '../../src/requests/caller.ts';
import { catalogReader } from '../../src/requests/catalog.ts';
import { planBatch } from '../../src/requests/plan/plan.ts';
import { openSealer } from '../../src/secrets/specs.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const count = 10_000;
const networks = 100;

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ control: false });
  await platform.sql`
    INSERT INTO resources (id, organization_id, project_id, kind, name, status, labels, provider, region, requested, quota)
    SELECT uuidv7(), p.organization_id, p.id, 'network', 'net-' || n, 'available', '{}', 'simulator', 'tpe-1',
      jsonb_build_object('region', 'tpe-1', 'provider', 'simulator', 'labels', '{}'::jsonb, 'deletionProtection', false, 'cidr', '10.0.' || n || '.0/24'),
      '{"networks": 1}' FROM projects p, generate_series(0, ${networks - 1}::int) n WHERE p.name = 'default'`;
  await platform.sql`INSERT INTO networks SELECT id, requested ->> 'cidr' FROM resources WHERE kind = 'network'`;
  await platform.sql`
    INSERT INTO resources (id, organization_id, project_id, kind, name, status, labels, provider, region, requested, quota)
    SELECT uuidv7(), x.organization_id, x.project_id, 'vm', 'vm-' || n, 'running', '{}', 'simulator', 'tpe-1',
      jsonb_build_object('region', 'tpe-1', 'provider', 'simulator', 'labels', '{}'::jsonb, 'deletionProtection', false,
        'flavor', f.name, 'vcpus', f.vcpus, 'memoryMib', f.memory_mib, 'diskGib', f.disk_gib, 'image', 'debian-13', 'sshKeys', '[]'::jsonb,
        'userData', '', 'networks', jsonb_build_array(x.id), 'volumes', '[]'::jsonb),
      '{"vms": 1, "vcpus": 1, "memoryMib": 2048, "storageGib": 20}'
    FROM resources x, flavors f, generate_series(0, ${count - networks - 1}::int) n
    WHERE f.name = 'small' AND x.kind = 'network' AND x.name = 'net-' || (n % ${networks}::int)`;
  await platform.sql`
    INSERT INTO vms (resource_id, flavor, vcpus, memory_mib, disk_gib, image, ssh_keys)
    SELECT id, 'small', 1, 2048, 20, 'debian-13', '{}' FROM resources WHERE kind = 'vm'`;
  await platform.sql`
    INSERT INTO resource_uses SELECT id, (requested #>> '{networks,0}')::uuid, 0 FROM resources WHERE kind = 'vm'`;
  await platform.sql`ANALYZE`;
}, 60_000);
afterAll(() => platform.stop());

/** A hundred networks, each with ninety-nine machines of which every tenth is told the one before. */
function fileOf(prefix: string, change: (index: number) => object = () => ({})): BatchFile {
  const common = { region: 'tpe-1', softDependsOn: [], conditions: [] };
  const operations = Array.from({ length: count }, (_, at): BatchOperation => {
    if (at < networks) {
      const given = { name: `${prefix}net-${at}`, cidr: `10.0.${at}.0/24`, ...change(at) };
      return { ...common, id: `net-${at}`, type: 'network.create', dependsOn: [], with: given };
    }
    const index = at - networks;
    const net = `net-${index % networks}`;
    const before = index % 10 === 0 && index > 0 ? [`vm-${index - 1}`] : [];
    const labels = before.length > 0 ? { before: `\${operations.${before[0]}.outputs.name}` } : {};
    const given = {
      name: `${prefix}vm-${index}`,
      flavor: 'small',
      image: 'debian-13',
      networks: [prefix + net],
      labels,
    };
    return {
      ...common,
      id: `vm-${index}`,
      type: 'vm.create',
      dependsOn: [net, ...before],
      with: { ...given, ...change(at) },
    };
  });
  const header = { name: 'large', version: 1, parallelLimit: 100, onFailure: 'rollback', replace: 'allow' } as const;
  return { ...header, limits: {}, secrets: {}, operations };
}

async function timed(file: BatchFile) {
  const database = openDatabase(platform.config.DATABASE_URL ?? '');
  let queries = 0;
  try {
    const [row] = await platform.sql<{ organization: Caller['project']; project: Caller['project'] }[]>`
      SELECT jsonb_build_object('id', o.id, 'name', o.name) AS organization, jsonb_build_object('id', p.id, 'name', p.name) AS project
      FROM projects p JOIN organizations o ON o.id = p.organization_id WHERE p.name = 'default'`;
    if (!row) throw new Error('there is no default project');
    const caller = { ...row, actor: 'test', origin: null };
    const catalog = await catalogReader(database)();
    database.sql.options.debug = () => {
      queries += 1;
    };
    const before = performance.now();
    const { plan } = await planBatch(database.sql, caller, catalog, file, openSealer(platform.config, database.sql));
    return {
      counts: plan.counts,
      waves: plan.waves.length,
      seconds: (performance.now() - before) / 1000,
      queries,
    };
  } finally {
    await database.close();
  }
}

/** Four seconds on a machine of its own; this one is shared. */
const longest = 12;

test.each([
  ['exist as they should, but for the labels of every tenth', fileOf(''), { none: 9011, change: 989 }],
  ['do not exist', fileOf('other-'), { create: count }],
  [
    'are half to be replaced, by their networks',
    fileOf('', (at) => (at < networks / 2 ? { cidr: '10.9.0.0/24' } : {})),
    { replace: 5000 },
  ],
])('ten thousand operations that %s are planned within seconds, by a handful of queries', async (_, file, counts) => {
  const plan = await timed(file);
  expect(plan.counts).toMatchObject(counts);
  expect(plan.seconds).toBeLessThan(longest);
  expect(plan.queries).toBeLessThan(20);
});
