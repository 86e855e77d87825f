import type { JobView } from '../../src/domain/job.ts';
import { Api } from '../harness/api.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';
import { enrolled } from './host-cases.ts';

interface Thing {
  readonly id: string;
  readonly name: string;
}

/** An organisation with one of everything, and somebody in each role. */
export interface Tenant {
  readonly organization: Thing;
  readonly project: Thing;
  readonly viewer: Api;
  readonly member: Api;
  readonly admin: Api;
  readonly vm: Thing;
  readonly network: Thing;
  /** In the subnet that came with the network. */
  readonly address: Thing;
  readonly volume: Thing;
  readonly snapshot: Thing;
  readonly bucket: Thing;
  readonly cluster: Thing;
  readonly host: Thing;
  readonly job: JobView;
  readonly heldJob: JobView;
  readonly incident: { readonly id: string };
  readonly batch: Thing;
  readonly account: Thing;
  readonly accountToken: Thing;
  readonly binding: Thing;
  /** Of maintainers, with one member. */
  readonly maintainers: Thing;
  readonly maintainer: { readonly email: string };
  /** Disabled, so that it does nothing of itself, with a delivery that was given up. */
  readonly webhook: Thing;
  readonly deadLetter: { readonly id: string };
}

/** Two tenants that know nothing of each other, and an operator. */
export interface World {
  readonly platform: TestPlatform;
  readonly operator: Api;
  readonly ours: Tenant;
  readonly theirs: Tenant;
  readonly user: Thing & { readonly email: string };
  readonly operatorBinding: Thing;
}

export async function startWorld(): Promise<World> {
  const platform = await startTestPlatform({
    regions: ['tpe-1'],
    environment: {
      MILLWRIGHT_WEBHOOK_ALLOW_NETWORKS: '127.0.0.0/8',
      // Nobody logs in here; it is only told where.
      MILLWRIGHT_OIDC_ISSUER: 'https://issuer.invalid',
      MILLWRIGHT_OIDC_AUDIENCE: 'millwright',
      MILLWRIGHT_OIDC_CLIENT_ID: 'millwright-cli',
    },
  });
  const operator = platform.api;
  const [ours, theirs] = await Promise.all([tenant(platform, 'ours'), tenant(platform, 'theirs')]);
  const user = await made(operator, '/api/ops/v1/users', { email: 'operator@example.com' });
  const operatorBinding = await made(operator, '/api/ops/v1/role-bindings', { user: user.email });
  return { platform, operator, ours, theirs, user, operatorBinding };
}

export const clusterBody = (name: string) => ({
  ...{ name, region: 'tpe-1', version: '1.33', image: 'debian-13' },
  controlPlane: { count: 1, flavor: 'small' },
});

/** Asks, expects something to be made at once, and gives it. */
export async function made(api: Api, path: string, body: object) {
  const answer = await api.request('POST', path, body);
  if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Somebody with this role on the whole organisation. */
async function withRole(operator: Api, organization: Thing, role: string): Promise<Api> {
  const query = `?organization=${organization.id}`;
  await made(operator, `/api/tenant/v1/service-accounts${query}`, { name: role });
  await made(operator, `/api/tenant/v1/role-bindings${query}`, { role, serviceAccount: role });
  const { token } = await made(operator, `/api/tenant/v1/service-accounts/${role}/tokens${query}`, { name: role });
  return new Api(operator.url, token);
}

async function tenant({ api: operator, simulator, sql }: TestPlatform, name: string): Promise<Tenant> {
  const organization = await made(operator, '/api/ops/v1/organizations', { name });
  const project = await made(operator, `/api/tenant/v1/projects?organization=${name}`, { name: `${name}-web` });
  const viewer = await withRole(operator, organization, 'viewer');
  const member = await withRole(operator, organization, 'member');
  const admin = await withRole(operator, organization, 'admin');

  const region = 'tpe-1';
  async function create(path: string, body: object): Promise<Thing & { job: JobView }> {
    const answer = await member.tenant('POST', path, { region, ...body });
    if (answer.status !== 202) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
    const job = await member.jobWhen(answer.body.job.id);
    return { id: answer.body.resource.id, name: answer.body.resource.name, job };
  }
  await simulator.fault({ effect: 'permanent', operation: 'volume.create', name: `${name}-stuck` });
  const stuck = await member.tenant('POST', '/volumes', {
    name: `${name}-stuck`,
    region,
    sizeGib: 1,
    onFailure: 'hold',
  });
  const heldJob = await member.jobWhen(stuck.body.job.id, ({ state }) => state === 'HELD');
  const incident = await until('the held job to be an incident', async () => {
    const { items } = (await member.tenant('GET', `/incidents?job=${heldJob.id}`)).body;
    return items.length > 0 && items[0];
  });
  const [network, volume] = await Promise.all([
    create('/networks', { name: `${name}-net`, cidr: '10.0.0.0/24' }),
    create('/volumes', { name: `${name}-vol`, sizeGib: 1 }),
  ]);
  const host = await enrolled(operator, simulator, project, `${name}-host`);
  const bucket = await create('/buckets', { name: `${name}-bucket` });
  const snapshot = await create('/snapshots', { region: undefined, name: `${name}-then`, volume: `${name}-vol` });
  const cluster = await create('/clusters', clusterBody(`${name}-k`));
  const vm = await create('/vms', { name: `${name}-vm`, flavor: 'small', image: 'debian-13' });
  const file = `name: ${name}-batch\noperations:\n  - { id: a, type: volume.create, region: tpe-1, with: { name: ${name}-of-batch, sizeGib: 1 } }\n`;
  const batch = await member.tenant('POST', '/batches', file);
  await member.jobWhen(batch.body.job.id);

  const query = `?project=${project.id}`;
  const account = await made(admin, `/api/tenant/v1/service-accounts${query}`, { name: 'robot' });
  const accountToken = await made(admin, `/api/tenant/v1/service-accounts/robot/tokens${query}`, { name: 'robot' });
  const binding = await made(admin, `/api/tenant/v1/role-bindings${query}`, {
    role: 'viewer',
    serviceAccount: 'robot',
  });
  const maintainer = { email: `ada@${name}.example.com` };
  await made(admin, `/api/tenant/v1/role-bindings${query}`, { role: 'viewer', user: maintainer.email });
  const ofOrganization = `?organization=${organization.id}`;
  const maintainers = await made(admin, `/api/tenant/v1/maintainer-groups${ofOrganization}`, {
    name: `${name}-team`,
    members: [maintainer.email],
  });
  const address = await made(admin, `/api/tenant/v1/addresses${query}`, { name: `${name}-ip`, subnet: `${name}-net` });
  const webhook = await made(admin, `/api/tenant/v1/webhooks${query}`, { name: 'hook', url: 'https://127.0.0.1:9/' });
  await admin.tenant('PATCH', `/webhooks/hook${query}`, { enabled: false });
  const [deadLetter] = await sql<{ id: string }[]>`
    INSERT INTO webhook_deliveries (webhook_id, transaction_id, position, lane, type, event, state, ended_at)
    VALUES (${webhook.id}, '1', 1, '', 'job.ended', '{}', 'dead', now()) RETURNING id`;
  if (!deadLetter) throw new Error('the dead letter was not put in');
  return {
    organization,
    project,
    viewer,
    member,
    admin,
    vm,
    network,
    address,
    volume,
    snapshot,
    bucket,
    cluster,
    host,
    job: vm.job,
    heldJob,
    incident,
    batch: batch.body.resource,
    account,
    accountToken,
    binding,
    maintainers,
    maintainer,
    webhook,
    deadLetter,
  };
}
