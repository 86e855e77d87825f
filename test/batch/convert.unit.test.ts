import { expect, test } from 'vitest';
import { convertBatch } from '../../src/batch/convert/index.ts';
import type { Mapping } from '../../src/batch/convert/operations.ts';
import { parseBatch } from '../../src/batch/parse.ts';
import { MillwrightError } from '../../src/errors.ts';

const mapping: Mapping = {
  flavors: { 't3.large': 'large', small: 'small' },
  regions: { 'de-fra1': 'tpe-1', 'eu-west-1': 'nrt-1' },
  image: 'debian-13',
};
const catalog = {
  regions: [
    { name: 'tpe-1', providers: ['upcloud'] },
    { name: 'nrt-1', providers: ['aws'] },
  ],
  flavors: ['small', 'large'],
  images: ['debian-13'],
};

const kcl = `# Two clouds
import provisioning.workflows as wf

batch_workflow: wf.BatchWorkflow = {
    name = "multi_cloud_deployment"
    version = "1.2.0"
    parallel_limit = 5
    rollback_enabled = False
    storage_backend = "surrealdb"
    operations = [
        wf.BatchOperation {
            id = "upcloud_servers"
            type = "server_batch"
            provider = "upcloud"
            dependencies = []
            server_configs = [
                {name = "web-01", plan = "1xCPU-2GB", zone = "de-fra1", storage_size = 25}
                {name: "web-02", plan: "2xCPU-4GB", zone: "de-fra1", storage_size: 25},
            ]
            retry_policy: wf.RetryPolicy = {max_attempts = 3, initial_delay = 5, backoff_multiplier = 2}
            timeout = 1800
        }
        {
            id = "aws_database"
            type = "server_batch"
            provider = "aws"
            dependencies = [{target_operation_id = "upcloud_servers", dependency_type = "soft"}]
            server_configs = [{name = "db_01", plan = "t3.large", zone = "eu-west-1"}]
        }
    ]
}
`;

test('a KCL file of plain values becomes a file that validates as it is', () => {
  const { yaml, left } = convertBatch(kcl, 'site.k', mapping);
  expect(left).toEqual([]);
  const file = parseBatch(yaml, catalog);
  expect(file).toMatchObject({ name: 'multi-cloud-deployment', version: 1, parallelLimit: 5, onFailure: 'keep' });
  expect(file.operations).toMatchObject([
    {
      id: 'web-01',
      type: 'vm.create',
      provider: 'upcloud',
      region: 'tpe-1',
      retry: { maximumAttempts: 3, initialSeconds: 5 },
      timeoutSeconds: 1800,
      with: { name: 'web-01', vcpus: 1, memoryMib: 2048, diskGib: 25, image: 'debian-13' },
    },
    { id: 'web-02', with: { vcpus: 2, memoryMib: 4096 } },
    { id: 'db-01', region: 'nrt-1', dependsOn: [], softDependsOn: ['web-01', 'web-02'], with: { flavor: 'large' } },
  ]);
});

const same = {
  batch_workflow: {
    name: 'site',
    parallel_limit: 3,
    rollback_enabled: true,
    operations: [
      {
        id: 'net',
        type: 'network',
        provider: 'upcloud',
        networks: [{ name: 'site-net', cidr: '10.0.0.0/24', zone: 'de-fra1' }],
      },
      {
        id: 'web',
        type: 'server',
        provider: 'upcloud',
        dependencies: ['net'],
        servers: [{ name: 'web-1', plan: 'small', zone: 'de-fra1', networks: ['site-net'] }],
      },
      { id: 'old', type: 'server', action: 'delete', servers: ['web-0'], dependencies: ['web'] },
    ],
  },
};
const toml = `[batch_workflow]
name = "site"
parallel_limit = 3
rollback_enabled = true
[[batch_workflow.operations]]
id = "net"
type = "network"
provider = "upcloud"
networks = [{ name = "site-net", cidr = "10.0.0.0/24", zone = "de-fra1" }]
[[batch_workflow.operations]]
id = "web"
type = "server"
provider = "upcloud"
dependencies = ["net"]
servers = [{ name = "web-1", plan = "small", zone = "de-fra1", networks = ["site-net"] }]
[[batch_workflow.operations]]
id = "old"
type = "server"
action = "delete"
servers = ["web-0"]
dependencies = ["web"]
`;

test('YAML, JSON and TOML that say the same become the same', () => {
  const json = JSON.stringify(same);
  const [one, two, three] = [
    convertBatch(json, 'site.json', mapping),
    convertBatch(json, 'site.yaml', mapping),
    convertBatch(toml, 'site.toml', mapping),
  ];
  expect([two, three]).toEqual([one, one]);
  expect(one?.left).toEqual([]);
  expect(parseBatch(one?.yaml ?? '', catalog).operations).toMatchObject([
    { id: 'site-net', type: 'network.create' },
    { id: 'web-1', type: 'vm.create', dependsOn: ['site-net'], with: { flavor: 'small', networks: ['site-net'] } },
    { id: 'web-0', type: 'vm.delete', dependsOn: ['web-1'] },
  ]);
});

test('what cannot be said becomes a comment and is told with its line; who waited for it waits for what it waited for', () => {
  const text = `batch_workflow:
  name: site
  monitoring: { enabled: true }
  operations:
    - id: web
      type: server_batch
      provider: upcloud
      server_configs:
        - { name: web-1, plan: huge, zone: de-fra1, tags: [a] }
    - id: kubernetes
      type: taskserv_batch
      taskservs: [containerd, kubernetes]
      dependencies: [web]
    - id: app
      type: server_batch
      provider: upcloud
      conditions: [{ expression: "web.done" }]
      retry_policy: { max_attempts: 3, backoff: linear }
      dependencies: [kubernetes, nothing]
      server_configs:
        - { name: app-1, plan: small, zone: de-fra1 }
`;
  const { yaml, left } = convertBatch(text, 'site.yaml', mapping);
  expect(left.map(({ line, detail }) => `${line}: ${detail}`)).toEqual([
    '3: monitoring: {"enabled":true} has no like in a batch file',
    '9: operation "web": tags: ["a"] has no like in a batch file',
    '9: operation "web": flavor: the plan "huge" has none; say which with --flavor-map huge=FLAVOR',
    '10: operation "kubernetes" (taskserv_batch) has no like in a batch file',
    '17: operation "app": conditions: [{"expression":"web.done"}] has no like in a batch file',
    '18: operation "app": the pause between tries always doubles; "linear" is left out',
    '19: operation "app": there is no operation nothing to wait for',
  ]);
  expect(yaml).toContain('      # flavor: the plan "huge" has none; say which with --flavor-map huge=FLAVOR\n');
  expect(yaml).toContain(
    '  # { id: kubernetes, type: taskserv_batch, taskservs: [containerd, kubernetes], dependencies: [web] }\n',
  );
  const app = yaml.slice(yaml.indexOf('- id: app-1'));
  expect(app).toContain('dependsOn: [web-1]');
});

test('no text of an older file gets out of its comment or its quotes', () => {
  const evil = {
    operations: [{ id: 'x\nname: evil', type: 'other', note: 'a\u2028b: c' }],
    name: 'true',
    surprise: 'a\nb: c',
  };
  const { yaml } = convertBatch(JSON.stringify(evil), 'x.json', mapping);
  for (const line of yaml.trimEnd().split(/\n|\u2028/)) expect(line).toMatch(/^\s*#|^name: |^operations:/);
  expect(yaml).not.toMatch(/^name: evil/m);
});

test.each([
  ['name = a + b\n', 1, 'Only plain values are read'],
  ['batch_workflow = {\n  name = other.name\n}\n', 2, '"other.name" would have to be looked up'],
  ['x = [i for i in range(3)]\n', 1, 'Only plain values are read'],
  [`name = "a-\${env}"\noperations = []\n`, 1, 'would have to be computed'],
  ['name = "a"\noperations = [\n  {id = }\n]\n', 3, 'Expected a value; found "}"'],
  ['if True:\n  name = "a"\n', 1, 'Expected "=" after "if"'],
  ['name = "a"\n', 1, 'Expected a mapping with "operations"'],
])('KCL that is more than plain values is a fault with its place: %j', (text, line, detail) => {
  const convert = () => convertBatch(text, 'x.k', mapping);
  expect(convert).toThrow(MillwrightError);
  expect(convert).toThrow(`line ${line}, column`);
  expect(convert).toThrow(detail);
});
