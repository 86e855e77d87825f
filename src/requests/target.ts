import type { TransactionSql } from 'postgres';
import { isId } from '../domain/common.ts';
import type { ResourceKind } from '../domain/kinds.ts';
import { overlaps, type Wish } from '../domain/overlap.ts';
import { MillwrightError } from '../errors.ts';
import type { Caller } from './caller.ts';

/** A resource that something is asked of, locked. */
export interface Target {
  readonly id: string;
  readonly kind: ResourceKind;
  readonly name: string;
  readonly region: string;
  readonly provider: string;
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly deletionProtection: boolean;
  readonly maintainerId: string | null;
  readonly currentJobId: string | null;
}

/** Locks a resource of the caller's project until the end of the transaction. */
export async function lockTarget(
  sql: TransactionSql,
  caller: Caller,
  kind: ResourceKind,
  reference: string,
): Promise<Target> {
  const [target] = await sql<Target[]>`
    SELECT id, kind, name, region, provider, status, labels, deletion_protection AS "deletionProtection", maintainer_id AS "maintainerId", current_job_id AS "currentJobId"
    FROM resources
    WHERE project_id = ${caller.project.id} AND kind = ${kind} AND deleted_at IS NULL
      AND ${isId(reference) ? sql`id = ${reference}` : sql`name = ${reference}`}
    FOR UPDATE`;
  if (!target) throw notFound(kind, reference);
  return target;
}

export const notFound = (kind: string, reference: string): MillwrightError =>
  new MillwrightError('not_found', `There is no ${kind} "${reference}" in this project.`);

/** What was looked for, of the platform's own: `not_found` where it is not there. */
export function there<Found>(found: Found | undefined, kind: string, reference: string): Found {
  if (found === undefined) throw new MillwrightError('not_found', `There is no ${kind} "${reference}".`);
  return found;
}

/** Throws where a job is at work on it that does not let this be done beside it. */
export function refuseIfBusy(target: Target, wish: Wish): void {
  if (target.currentJobId && !overlaps(target.kind, target.status, wish)) throw busy(target);
}

export const busy = ({ kind, name, status, currentJobId }: Target): MillwrightError =>
  new MillwrightError(
    'conflict',
    `The ${kind} "${name}" is ${status}: job ${currentJobId} is at work on it. Wait until it has ended, or settle or cancel it, then ask again.`,
    currentJobId ? { jobId: currentJobId } : {},
  );
