import type { Sql } from 'postgres';
import type { JobView, Settlement } from '../../domain/job.ts';

interface Actor {
  readonly actor: string;
  readonly origin: string | null;
}

/** Puts on record who decided something of a job, what and why: before it is done, closed by the job's own end. */
export async function auditDecision(
  sql: Sql,
  { actor, origin }: Actor,
  job: JobView,
  action: `job.settle.${Settlement}` | 'job.cancel',
  reason: string,
): Promise<void> {
  await sql`
    INSERT INTO audit_log (organization_id, project_id, actor, origin, action, resource_id, job_id, reason)
    VALUES (${job.organizationId}, ${job.projectId}, ${actor}, ${origin}, ${action}, ${job.resource.id}, ${job.id}, ${reason})`;
}
