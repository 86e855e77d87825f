import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { and, eq, isNull } from 'drizzle-orm';
import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import type { QuotaMetric } from '../domain/quota.ts';
import { flavors, images, regions } from './schema/catalog.ts';
import { apiTokens } from './schema/identity.ts';
import { quotas } from './schema/quota.ts';
import { organizations, projects } from './schema/tenancy.ts';

const flavorSeed = [
  { name: 'small', vcpus: 1, memoryMib: 2048, diskGib: 20 },
  { name: 'medium', vcpus: 2, memoryMib: 4096, diskGib: 40 },
  { name: 'large', vcpus: 4, memoryMib: 8192, diskGib: 80 },
];

/** The limits of a new project: wide enough for any use of one machine, and still limits. */
export const newProjectLimits = {
  vms: 20_000,
  vcpus: 80_000,
  memoryMib: 160_000_000,
  storageGib: 2_000_000,
  networks: 5_000,
  volumes: 20_000,
  snapshots: 20_000,
  buckets: 2_000,
  addresses: 40_000,
  gpus: 2_000,
  bareMetalHosts: 5_000,
  clusters: 200,
} as const satisfies Record<QuotaMetric, number>;
const limitsRow = {
  vmsLimit: newProjectLimits.vms,
  vcpusLimit: newProjectLimits.vcpus,
  memoryMibLimit: newProjectLimits.memoryMib,
  storageGibLimit: newProjectLimits.storageGib,
  networksLimit: newProjectLimits.networks,
  volumesLimit: newProjectLimits.volumes,
  snapshotsLimit: newProjectLimits.snapshots,
  bucketsLimit: newProjectLimits.buckets,
  addressesLimit: newProjectLimits.addresses,
  gpusLimit: newProjectLimits.gpus,
  bareMetalHostsLimit: newProjectLimits.bareMetalHosts,
  clustersLimit: newProjectLimits.clusters,
};

export const tokenHash = (token: string): string => createHash('sha256').update(token).digest('hex');

/** What a new platform begins with; what is there already stays as it is. */
export async function seed(orm: PostgresJsDatabase, home: string): Promise<void> {
  await orm
    .insert(regions)
    .values(['tpe-1', 'nrt-1'].map((name) => ({ name, providers: ['simulator'] })))
    .onConflictDoNothing();
  await orm.insert(flavors).values(flavorSeed).onConflictDoNothing();
  await orm.insert(images).values({ name: 'debian-13' }).onConflictDoNothing();
  const project = await seedProject(orm);
  await orm
    .insert(apiTokens)
    .values({
      name: 'operator',
      role: 'operator',
      hash: tokenHash(operatorToken(home)),
      organizationId: project?.organizationId ?? null,
      projectId: project?.id ?? null,
    })
    .onConflictDoNothing();
}

/** The organisation and project `default`, on a platform that has never had any; what became of them is its operators' to say. */
async function seedProject(orm: PostgresJsDatabase): Promise<{ id: string; organizationId: string } | undefined> {
  const [first] = await orm.select({ id: organizations.id }).from(organizations).limit(1);
  if (!first) {
    const [organization] = await orm.insert(organizations).values({ name: 'default' }).returning();
    if (!organization) throw new Error('the organization "default" was not there after it had been put in');
    await createProject(orm, organization.id, 'default');
  }
  const [project] = await orm
    .select({ id: projects.id, organizationId: projects.organizationId })
    .from(projects)
    .innerJoin(organizations, eq(organizations.id, projects.organizationId))
    .where(and(eq(organizations.name, 'default'), eq(projects.name, 'default'), isNull(projects.deletedAt)))
    .limit(1);
  return project;
}

/** A project with its quota row, which every accepted request counts in. */
async function createProject(orm: PostgresJsDatabase, organizationId: string, name: string): Promise<void> {
  const [project] = await orm.insert(projects).values({ organizationId, name }).returning();
  if (!project) throw new Error(`the project "${name}" was not there after it had been put in`);
  await orm.insert(quotas).values({ projectId: project.id, ...limitsRow });
}

/** The operator's token, made when the home is new; readable by the owner alone. */
function operatorToken(home: string): string {
  const file = join(home, 'operator.token');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const token = `mw_${randomBytes(32).toString('base64url')}`;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${token}\n`, { mode: 0o600 });
  renameSync(draft, file);
  return token;
}
