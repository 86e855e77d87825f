import type { Sql, TransactionSql } from 'postgres';
import type { Act, AuditOutcome } from '../../domain/audit.ts';
import { MillwrightError } from '../../errors.ts';

type Connection = Sql | TransactionSql;

/**
 * Puts an act on record before it is done; gives the act's id, for `closeAudit`. Where the act is more than one
 * transaction of the database (a message to a workflow, a call), this has to be committed before it begins. An act
 * that is never closed is closed as `LOST` by a sweep.
 */
export async function openAudit(sql: Connection, act: Act): Promise<string> {
  const { id, kind, name } = act.resource;
  const [row] = await sql<{ id: string }[]>`
    INSERT INTO audit_entries (act_id, phase, organization_id, project_id, actor, origin, action,
      resource_kind, resource_id, resource_name, job_id, reason, details)
    VALUES (uuidv7(), 'opened', ${act.organizationId}, ${act.projectId}, ${act.actor}, ${act.origin}, ${act.action},
      ${kind}, ${id}, ${name}, ${act.jobId ?? null}, ${act.reason ?? null},
      ${act.details ? JSON.stringify(act.details) : null}::text::jsonb)
    RETURNING act_id AS id`;
  if (!row) throw new Error('an audit entry was not there after it had been put in');
  return row.id;
}

/** Closes an act by its outcome. Once closed it stays as it is. */
export async function closeAudit(
  sql: Connection,
  actId: string,
  outcome: AuditOutcome,
  reason: string | null = null,
): Promise<void> {
  await sql`
    INSERT INTO audit_entries (act_id, phase, outcome, reason) VALUES (${actId}, 'closed', ${outcome}, ${reason})
    ON CONFLICT (act_id, phase) DO NOTHING`;
}

/** An act of the database alone: opened, done and closed in one transaction, or nothing at all. */
export async function audited<Result>(
  sql: Sql,
  act: Act,
  perform: (transaction: TransactionSql) => Promise<Result>,
): Promise<Result> {
  let done: { readonly result: Result } | undefined;
  await sql.begin(async (transaction) => {
    const id = await openAudit(transaction, act);
    done = { result: await perform(transaction) };
    await closeAudit(transaction, id, 'SUCCEEDED');
  });
  if (!done) throw new Error('a transaction was committed without its act');
  return done.result;
}

/**
 * An act beyond the database: on record before it begins, closed by whether it went well. What it throws goes on to
 * the caller.
 */
export async function auditedAround<Result>(sql: Sql, act: Act, perform: () => Promise<Result>): Promise<Result> {
  const id = await openAudit(sql, act);
  try {
    const result = await perform();
    await closeAudit(sql, id, 'SUCCEEDED');
    return result;
  } catch (error) {
    await closeAudit(sql, id, 'FAILED', error instanceof MillwrightError ? error.message : null);
    throw error;
  }
}
