import type { Sql, TransactionSql } from 'postgres';
import { type User, usersOf } from '../db/queries/plan.ts';
import { organizationQuota, projectQuota } from '../db/queries/quota.ts';
import { knownResources } from '../db/queries/resources.ts';
import { type Quota, type QuotaUse, quotaMetrics } from '../domain/quota.ts';
import { MillwrightError } from '../errors.ts';
import type { Caller } from './caller.ts';
import type { CreateBody } from './prepare.ts';

/** So many users are named; of the others the number is told. */
const namedAtMost = 10;

/** `vm "web-1", vm "web-2" and 3 more`. */
export function namesOf(users: readonly User[]): string {
  const named = users.slice(0, namedAtMost).map(({ kind, name }) => `${kind} "${name}"`);
  const more = users.length > namedAtMost ? ` and ${users.length - namedAtMost} more` : '';
  return `${named.join(', ')}${more}`;
}

/** A resource of this name is there already. */
export async function nameTaken(sql: Sql, caller: Caller, { kind, body }: CreateBody): Promise<MillwrightError> {
  const find = await knownResources(sql, caller.project.id, [{ kind, reference: body.name }]);
  const there = find({ kind, reference: body.name });
  const jobId = there?.currentJobId ?? undefined;
  const busy = jobId ? ` (${there?.status}; job ${jobId} is at work on it)` : '';
  return new MillwrightError(
    'conflict',
    `There is already a ${kind} "${body.name}" in this project${busy}. Choose another name, or delete that one first.`,
    jobId ? { jobId } : {},
  );
}

/** A volume among what it names is another VM's, perhaps since a moment ago. */
export async function attachedAlready(sql: Sql, uses: readonly string[]): Promise<MillwrightError> {
  const vms = (await usersOf(sql, uses)).filter(({ kind }) => kind === 'vm');
  const volumes = await sql<{ id: string; name: string }[]>`
    SELECT id, name FROM resources WHERE id = ANY(${[...uses]}::uuid[]) AND kind = 'volume' ORDER BY name`;
  const attached = volumes.flatMap(({ id, name }) => {
    const vm = vms.find(({ usedId }) => usedId === id);
    return vm ? [`the volume "${name}" is attached to the VM "${vm.name}"`] : [];
  });
  const what = attached.join(', and ') || 'a volume was attached to another VM a moment ago';
  return new MillwrightError(
    'conflict',
    `${what.slice(0, 1).toUpperCase()}${what.slice(1)}. Detach it first, or name another.`,
  );
}

/** Another project's host, perhaps: that is nobody's business who may not see it. */
export function enrolledAlready({ body }: CreateBody): MillwrightError {
  const address = 'bmcAddress' in body ? body.bmcAddress : '';
  return new MillwrightError(
    'conflict',
    `The host at the controller "${address}" is enrolled already. Name another one, or which of its systems is meant.`,
  );
}

/** The statement wrote nothing: either a quota does not suffice, or what it needs went away in between. */
export async function whyNot(
  sql: Sql | TransactionSql,
  caller: Caller,
  wanted: QuotaUse,
  references: readonly string[],
): Promise<MillwrightError> {
  const quotas = await Promise.all([
    projectQuota(sql, caller.project.id),
    organizationQuota(sql, caller.organization.id),
  ]);
  const short = quotas.flatMap((quota) => (quota ? shortIn(quota, wanted) : []));
  if (short.length > 0) {
    return new MillwrightError(
      'quota',
      `The quota of ${short.join(' and of ')}. Delete something, or ask an operator for more.`,
    );
  }
  if (references.length === 0) {
    return new MillwrightError('quota', 'The quota did not suffice a moment ago, and does now. Ask again.');
  }
  return new MillwrightError(
    'conflict',
    `One of ${references.join(', ')} is no longer usable: it is being changed or deleted. Look at them, then ask again.`,
  );
}

/** `project "web" does not suffice (vms: 1 wanted, 10 of 10 in use)`, or nothing. */
function shortIn({ scope, name, metrics }: Quota, wanted: QuotaUse): string[] {
  const short = quotaMetrics.flatMap((metric) => {
    const { used, limit } = metrics[metric];
    const more = wanted[metric] ?? 0;
    return more > 0 && limit !== null && used + more > limit
      ? [`${metric}: ${more} wanted, ${used} of ${limit} in use`]
      : [];
  });
  return short.length > 0 ? [`${scope} "${name}" does not suffice (${short.join('; ')})`] : [];
}
