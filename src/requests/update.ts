import type { Sql, TransactionSql } from 'postgres';
import { closeAudit, openAudit } from '../db/queries/audit.ts';
import { maintainerOfResource } from '../db/queries/maintainers.ts';
import { insertEvent } from '../db/queries/outbox.ts';
import type { Maintainer, ResourceUpdate } from '../domain/common.ts';
import type { ResourceKind } from '../domain/kinds.ts';
import { MillwrightError } from '../errors.ts';
import type { Caller } from './caller.ts';
import { maintainerIn } from './maintainers.ts';
import { lockTarget, refuseIfBusy } from './target.ts';

const mostLabels = 64;

/**
 * Changes what Millwright alone keeps of a resource: labels (a merge, RFC 7396), deletion protection and who maintains
 * it; whoever did before is on record. One transaction, no job; where nothing would change, nothing is written. Gives
 * the resource's id.
 */
export function acceptUpdate(
  sql: Sql,
  caller: Caller,
  kind: ResourceKind,
  reference: string,
  change: ResourceUpdate,
): Promise<string> {
  return sql.begin(async (transaction) => {
    const target = await lockTarget(transaction, caller, kind, reference);
    const labels = merged(target.labels, change.labels ?? {});
    const deletionProtection = change.deletionProtection ?? target.deletionProtection;
    const { maintainer } = change;
    const given = maintainer ? await maintainerIn(transaction, caller.organization, maintainer, { keep: true }) : null;
    const maintainerId = maintainer === undefined ? target.maintainerId : (given?.id ?? null);
    const isHandedOver = maintainerId !== target.maintainerId;
    if (deletionProtection === target.deletionProtection && same(labels, target.labels) && !isHandedOver)
      return target.id;
    refuseIfBusy(target, 'update');
    const { id, name } = target;
    const place = { organizationId: caller.organization.id, projectId: caller.project.id };
    const act = await openAudit(transaction, {
      ...place,
      actor: caller.actor,
      origin: caller.origin,
      action: `${kind}.update`,
      resource: { id, kind, name },
      details: isHandedOver ? { ...change, maintainerBefore: await maintainerNow(transaction, id) } : change,
    });
    await transaction.unsafe(
      `UPDATE resources SET labels = $2::text::jsonb, deletion_protection = $3, maintainer_id = $4, updated_at = now(),
        requested = requested || jsonb_build_object('labels', $2::text::jsonb, 'deletionProtection', $3::boolean)
      WHERE id = $1`,
      [id, JSON.stringify(labels), deletionProtection, maintainerId],
    );
    await insertEvent(transaction, {
      ...place,
      type: 'resource.updated',
      resource: { id, kind, name },
      data: { labels, deletionProtection, ...(isHandedOver ? { maintainer } : {}) },
    });
    await closeAudit(transaction, act, 'SUCCEEDED');
    return id;
  });
}

/** The name of whoever maintains it. */
async function maintainerNow(sql: TransactionSql, id: string): Promise<string | null> {
  const [now] = await sql.unsafe<{ maintainer: Maintainer | null }[]>(
    `SELECT ${maintainerOfResource} AS maintainer FROM resources r WHERE r.id = $1`,
    [id],
  );
  return now?.maintainer?.name ?? null;
}

type Labels = Readonly<Record<string, string>>;

/** What is null is taken away, what is not named stays. */
export function merged(labels: Labels, change: Readonly<Record<string, string | null>>): Labels {
  const entries = Object.entries({ ...labels, ...change }).flatMap(([key, value]) =>
    value === null ? [] : [[key, value] as const],
  );
  if (entries.length > mostLabels) {
    const detail = `It would have ${entries.length} labels; there may be ${mostLabels}.`;
    throw new MillwrightError('invalid', detail, { faults: [{ pointer: '/labels', detail }] });
  }
  return Object.fromEntries(entries);
}

const same = (one: Labels, other: Labels): boolean =>
  Object.keys(one).length === Object.keys(other).length &&
  Object.entries(one).every(([key, value]) => other[key] === value);
