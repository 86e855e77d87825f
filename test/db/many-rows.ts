import type { Sql } from 'postgres';

export interface Many {
  readonly organizationId: string;
  readonly projectId: string;
  readonly batchId: string;
  readonly jobId: string;
  readonly resourceId: string;
}

const jobs = 300_000;
const resources = 100_000;

/**
 * More jobs, resources, incidents, acts and events than a page could look at, two of three in one project. What a filter
 * asks for is rare, and at the end that a page comes to last: a plan that looks for it row by row is found out.
 */
export async function fill(sql: Sql): Promise<Many> {
  const [place] = await sql<{ organizationId: string; projectId: string }[]>`
    SELECT organization_id AS "organizationId", id AS "projectId" FROM projects`;
  if (!place) throw new Error('a new database has a project');
  const { organizationId, projectId } = place;
  const batchId = '01900000-0000-7000-8000-000000000001';
  await sql.unsafe(
    `INSERT INTO jobs (id, organization_id, project_id, type, state, resource_id, resource_kind, resource_name, region, batch_id,
      operation_id, input, workflow_id, created_at, ended_at, deadline_at)
    SELECT uuidv7(make_interval(secs => g - ${jobs})), $1, CASE WHEN g % 3 = 0 THEN uuidv4() ELSE $2::uuid END, 'vm.create', s.state,
      md5((g / 3)::text)::uuid, 'vm', 'vm-' || g, 'tpe-1', CASE WHEN g BETWEEN 50000 AND 70000 THEN $3::uuid END, 'o', '{}', 'w',
      now() - make_interval(secs => ${jobs} - g), CASE WHEN s.state IN ('SUCCEEDED', 'FAILED') THEN now() END, now() + interval '1 day'
    FROM generate_series(1, ${jobs}) g,
      LATERAL (SELECT CASE WHEN g <= 400 THEN 'FAILED' WHEN g <= 500 THEN 'RUNNING' WHEN g <= 550 THEN 'PENDING' WHEN g % 60000 = 1 THEN 'HELD' ELSE 'SUCCEEDED' END AS state) s`,
    [organizationId, projectId, batchId],
  );
  await sql.unsafe(
    `WITH r AS (
      INSERT INTO resources (id, organization_id, project_id, kind, name, status, labels, provider, region, requested, quota)
      SELECT uuidv7(make_interval(secs => g)), $1, $2, 'vm', 'vm-' || g, CASE WHEN g > ${resources} - 200 THEN 'error' ELSE 'running' END,
        CASE WHEN g % 30000 = 0 THEN '{"rare": "a=b"}' ELSE '{"env": "prod"}' END::jsonb, 'simulator',
        CASE WHEN g > ${resources} - 100 THEN 'nrt-1' ELSE 'tpe-1' END, '{}', '{}'
      FROM generate_series(1, ${resources}) g RETURNING id)
    INSERT INTO vms (resource_id, vcpus, memory_mib, disk_gib, image, ssh_keys) SELECT id, 1, 1, 1, 'debian-13', '{}' FROM r`,
    [organizationId, projectId],
  );
  await sql.unsafe(
    `INSERT INTO incidents (id, organization_id, project_id, kind, cause, job_id, resource, summary, resolved_at)
    SELECT uuidv7(make_interval(secs => g - 60000)), $1, $2, 'job-held', 'c' || g, md5((g / 2)::text)::uuid, '{}', 's', CASE WHEN g BETWEEN 100 AND 59000 THEN now() END
    FROM generate_series(1, 60000) g`,
    [organizationId, projectId],
  );
  await sql.unsafe(
    `INSERT INTO audit_entries (act_id, phase, at, organization_id, project_id, actor, action, resource_kind, resource_id, resource_name, outcome)
    SELECT a.id, p.phase, now() - make_interval(secs => 60000 - g), p.organization_id, CASE WHEN g % 3 = 0 THEN uuidv4() ELSE p.project_id END,
      CASE WHEN p.opened THEN CASE WHEN g < 100 THEN 'somebody' ELSE 'operator' END END, CASE WHEN p.opened THEN CASE WHEN g < 200 THEN 'vm.delete' ELSE 'vm.create' END END,
      'vm', CASE WHEN p.opened THEN md5((g / 3)::text)::uuid END, 'vm', CASE WHEN NOT p.opened THEN 'SUCCEEDED' END
    FROM (SELECT g, uuidv7() AS id FROM generate_series(1, 60000) g) a,
      (VALUES ('opened', true, $1::uuid, $2::uuid), ('closed', false, NULL, NULL)) AS p(phase, opened, organization_id, project_id) ORDER BY g, p.opened DESC`,
    [organizationId, projectId],
  );
  await sql.unsafe(
    `INSERT INTO events (transaction_id, organization_id, project_id, resource_id, resource_kind, resource_name, job_id, job_sequence, parent_job_id, type, data, at)
    SELECT '9'::xid8, $1, CASE WHEN g % 3 = 0 THEN uuidv4() ELSE $2::uuid END, md5((g / 3)::text)::uuid, 'vm', 'vm', md5((g / 3)::text)::uuid, g,
      CASE WHEN g < 5000 THEN md5('1')::uuid END, CASE WHEN g > 99900 THEN 'webhook.rare' ELSE 'job.step' END, '{}', now() - make_interval(secs => 100000 - g)
    FROM generate_series(1, 100000) g`,
    [organizationId, projectId],
  );
  await sql`INSERT INTO job_steps (job_id, position, name, state, started_at, ended_at)
    SELECT id, 1, 'create', 'SUCCEEDED', now(), now() FROM jobs WHERE resource_name LIKE '%0'`;
  await sql`INSERT INTO audit_seals (sequence, transaction_id, position, hash)
    SELECT row_number() OVER (), transaction_id, position, 'hash' FROM audit_entries`;
  await sql`INSERT INTO resource_uses (user_id, used_id, position)
    SELECT id, lag(id, 1, id) OVER (ORDER BY id), 0 FROM resources`;
  await sql.unsafe('ANALYZE');
  const [job] = await sql<{ id: string; resourceId: string }[]>`
    SELECT id, resource_id AS "resourceId" FROM jobs WHERE project_id = ${projectId} ORDER BY id OFFSET 1000 LIMIT 1`;
  if (!job) throw new Error('no job');
  return { organizationId, projectId, batchId, jobId: job.id, resourceId: job.resourceId };
}
