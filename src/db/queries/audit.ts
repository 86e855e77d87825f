import type { Sql } from 'postgres';
import type { JobView, Settlement } from '../../domain/job.ts';

interface Actor {
  readonly actor: string;
  readonly origin: string | null;
}

/** Puts on record who settled a job, how and why: before it is done, closed by the job's own end. */
export async function auditSettlement(
  sql: Sql,
  { actor, origin }: Actor,
  job: JobView,
  action: Settlement,
  reason: string,
): Promise<void> {
  await sql`
    INSERT INTO audit_log (organization_id, project_id, actor, origin, action, resource_id, job_id, reason)
    VALUES (${job.organizationId}, ${job.projectId}, ${actor}, ${origin}, ${`job.settle.${action}`}, ${job.resource.id}, ${job.id}, ${reason})`;
}
