import { z } from 'zod';
import { madeKinds, plural, resourceKinds } from '../../src/domain/kinds.ts';
import type { Auditor } from './auditor.ts';
import type { Expected } from './expected.ts';
import type { Request } from './script.ts';
import { regions } from './things.ts';
import type { World } from './world.ts';

const markSchema = z.object({ labels: z.object({ mark: z.string() }) });

interface Shown {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly region: string;
  readonly status: string;
  readonly currentJobId: string | null;
  readonly providerReference: string | null;
  readonly labels: Readonly<Record<string, string>>;
}

/** What the provider has: by key, with the reference that it gave it. */
async function provided(
  world: World,
): Promise<ReadonlyMap<string, { kind: string; name: string; region: string; reference: string }>> {
  const found = new Map();
  for (const region of regions) {
    for (const kind of madeKinds) {
      const answer = await fetch(`${world.simulator.url}/v1/regions/${region}/${plural[kind]}`);
      const { resources } = (await answer.json()) as { resources: { key: string; name: string; reference: string }[] };
      for (const { key, name, reference } of resources) found.set(key, { kind, name, region, reference });
    }
  }
  return found;
}

async function shown(world: World): Promise<ReadonlyMap<string, Shown>> {
  const found = new Map<string, Shown>();
  for (const tenant of world.tenants) {
    for (const kind of resourceKinds) {
      const { items } = await tenant.get(`/${plural[kind]}?limit=500`);
      for (const item of items) found.set(item.id, item);
    }
  }
  return found;
}

/** The API's resources and the provider's against what they have to be; nothing more, nothing less, nothing locked. */
export async function compareResources(
  expected: ReadonlyMap<string, Expected>,
  world: World,
  auditor: Auditor,
): Promise<void> {
  const [records, there] = [await shown(world), await provided(world)];
  for (const { id, projectId, kind, name, region, record, provider } of expected.values()) {
    const what = `${kind} "${name}" (${id})`;
    const has = records.get(id);
    const found = there.get(id);
    if (!has !== (record === 'none')) auditor.find(`${what} should be ${record}, and is ${has?.status ?? 'not shown'}`);
    if (has && record !== 'none') {
      if ((has.status === 'error') !== (record === 'error'))
        auditor.find(`${what} should be ${record}, and is ${has.status}`);
      if (has.currentJobId !== null) auditor.find(`${what} is locked by job ${has.currentJobId}, which has ended`);
      if (has.projectId !== projectId) auditor.find(`${what} is shown to the project ${has.projectId}`);
      if (has.name !== name || has.region !== region) auditor.find(`${what} is shown as ${has.name} in ${has.region}`);
    }
    if (provider !== 'either' && !found !== (provider === 'none'))
      auditor.find(`${what} is ${found ? 'leaked: the provider has it' : 'missing: the provider has it not'}`);
    if (found && (found.name !== name || found.region !== region || found.kind !== kind))
      auditor.find(`${what} is at the provider as ${found.kind} ${found.name} in ${found.region}`);
    if (found && record === 'resting' && has?.providerReference !== null && has?.providerReference !== found.reference)
      auditor.find(`${what} was made twice: it is on record as ${has?.providerReference}, and is ${found.reference}`);
  }
  compareMarks(records, auditor);
  for (const [id, { kind, name }] of there) {
    if (!expected.has(id)) auditor.find(`the provider has ${kind} "${name}" (${id}), for which there never was a job`);
  }
  for (const [id, { name }] of records) {
    if (!expected.has(id)) auditor.find(`the API shows "${name}" (${id}), for which there never was a job`);
  }
}

const markOf = ({ body }: Request): string | undefined => markSchema.safeParse(body).data?.labels.mark;

/** A label has a value that somebody asked for and was not refused; and where somebody was told that it is set, it is. */
function compareMarks(records: ReadonlyMap<string, Shown>, auditor: Auditor): void {
  const updates = auditor.asked.filter(({ request }) => request.verb === 'update');
  for (const { id, projectId, name, labels } of records.values()) {
    const mine = updates.filter(({ tenant, request }) => tenant.projectId === projectId && request.name === name);
    const taken = mine.filter(({ resourceIds }) => resourceIds.has(id));
    const maybe = [...taken, ...mine.filter(({ lost }) => lost > 0)].map(({ request }) => markOf(request));
    if (labels.mark === undefined ? taken.length > 0 : !maybe.includes(labels.mark))
      auditor.find(`"${name}" (${id}) is marked ${labels.mark}; what was asked for: ${maybe}`);
  }
}
