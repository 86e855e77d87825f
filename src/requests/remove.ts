import type { Sql, TransactionSql } from 'postgres';
import { insertWork } from '../db/queries/accept.ts';
import { type User, usersOf } from '../db/queries/plan.ts';
import type { ResourceKind } from '../domain/kinds.ts';
import { lives } from '../domain/life.ts';
import { MillwrightError } from '../errors.ts';
import type { Accepted, AcceptOptions, Caller } from './caller.ts';
import { asked, newJob, startOf } from './create.ts';
import { acceptOnce } from './idempotency.ts';
import { namesOf } from './refusals.ts';
import { busy, lockTarget, refuseIfBusy, type Target } from './target.ts';

/**
 * Accepts a delete. The row is locked first and looked at in the same transaction, so that nothing can begin to use
 * what is being deleted: a create locks what it uses as well.
 */
export function acceptDelete(
  sql: Sql,
  caller: Caller,
  kind: ResourceKind,
  reference: string,
  options: AcceptOptions & { readonly force?: boolean },
): Promise<Accepted<never>> {
  return acceptOnce(sql, caller.project.id, options.idempotency, () =>
    sql.begin(async (transaction) => {
      const target = await lockTarget(transaction, caller, kind, reference);
      const users = await usersOf(transaction, [target.id]);
      refuseUnlessDeletable(target, users);
      if (kind === 'bucket' && !options.force) await refuseWithKeys(transaction, target);
      const { spec, isReversible } = deletionOf(target, options.force ?? false);
      const job = newJob(caller, 'delete', target, spec, options, { status: target.status, isReversible });
      const resource = { ...target, status: lives[kind].delete.during };
      if (!(await insertWork(transaction, asked(caller, options), resource, job))) throw busy(target);
      return { jobId: job.id, resourceId: target.id, start: startOf(job) };
    }),
  );
}

/**
 * What the workflow is told. Unless it is forced, the deletion of a bucket is of one that is empty, and can be undone: so
 * it is where it fails, and a bucket that is not empty stays in use.
 */
const deletionOf = (
  { kind, name }: Target,
  force: boolean,
): { readonly spec: object; readonly isReversible: boolean } =>
  kind === 'bucket' ? { spec: { name, force }, isReversible: !force } : { spec: {}, isReversible: false };

async function refuseWithKeys(sql: TransactionSql, { id, name }: Target): Promise<void> {
  const keys = await sql<{ name: string }[]>`SELECT name FROM bucket_keys WHERE bucket_id = ${id} ORDER BY name`;
  if (keys.length === 0) return;
  const named = keys.map((key) => `"${key.name}"`).join(', ');
  throw new MillwrightError(
    'conflict',
    `The bucket "${name}" has access keys: ${named}. Revoke them first, or delete it by force, with them.`,
  );
}

function refuseUnlessDeletable(target: Target, users: readonly User[]): void {
  const { kind, name, status } = target;
  refuseIfBusy(target, 'delete');
  if (target.deletionProtection) {
    throw new MillwrightError(
      'conflict',
      `The ${kind} "${name}" is protected against deletion. Take the protection off first: "millwright ${kind} update ${name} --no-deletion-protection".`,
    );
  }
  const from: readonly string[] = lives[kind].delete.from;
  if (!from.includes(status))
    throw new MillwrightError('conflict', `The ${kind} "${name}" is ${status} and cannot be deleted now.`);
  if (users.length > 0) {
    throw new MillwrightError(
      'conflict',
      `The ${kind} "${name}" is in use by ${namesOf(users)}. Delete what uses it first.`,
    );
  }
}
