import type { Sql } from 'postgres';
import type { Rights } from '../../domain/access.ts';
import { isId } from '../../domain/common.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}
export interface ProjectPlace extends Named {
  readonly organization: Named;
}

/** The projects and organisations in which these rights hold anything at all, for a WHERE. */
interface Sight {
  readonly everything: boolean;
  readonly organizationIds: readonly string[];
  readonly projectIds: readonly string[];
  readonly onlyProjectId: string | null;
}

function sightOf({ grants, onlyProjectId }: Rights): Sight {
  return {
    everything: grants.some(({ organizationId }) => organizationId === null),
    organizationIds: grants.flatMap(({ organizationId, projectId }) =>
      organizationId && !projectId ? [organizationId] : [],
    ),
    projectIds: grants.flatMap(({ projectId }) => projectId ?? []),
    onlyProjectId,
  };
}

/** Of table `p`, the projects in sight; parameters $1 to $4 are `sightParameters`. */
const projectInSight =
  'p.deleted_at IS NULL AND ($1::boolean OR p.organization_id = ANY($2::uuid[]) OR p.id = ANY($3::uuid[])) AND ($4::uuid IS NULL OR p.id = $4)';

const sightParameters = (sight: Sight): [boolean, string[], string[], string | null] => [
  sight.everything,
  [...sight.organizationIds],
  [...sight.projectIds],
  sight.onlyProjectId,
];

interface Wanted {
  /** An id or a name; undefined: whichever there is. */
  readonly reference: string | undefined;
  readonly organizationId: string | undefined;
}

/** The projects in sight that are meant, two at most: more than one is as good as many. */
export async function findProjects(
  sql: Sql,
  rights: Rights,
  { reference, organizationId }: Wanted,
): Promise<ProjectPlace[]> {
  const by = reference === undefined ? '$5::text IS NULL' : isId(reference) ? 'p.id = $5::uuid' : 'p.name = $5::text';
  return await sql.unsafe<ProjectPlace[]>(
    `SELECT p.id, p.name, jsonb_build_object('id', o.id, 'name', o.name) AS organization
    FROM projects p JOIN organizations o ON o.id = p.organization_id AND o.deleted_at IS NULL
    WHERE ${projectInSight} AND ${by} AND ($6::uuid IS NULL OR p.organization_id = $6) ORDER BY p.id LIMIT 2`,
    [...sightParameters(sightOf(rights)), reference ?? null, organizationId ?? null],
    { prepare: true },
  );
}

/** The organisations that are meant, and in which these rights hold anything; two at most. */
export async function findOrganizations(sql: Sql, rights: Rights, reference: string | undefined): Promise<Named[]> {
  const sight = sightOf(rights);
  const by = reference === undefined ? '$5::text IS NULL' : isId(reference) ? 'o.id = $5::uuid' : 'o.name = $5::text';
  return await sql.unsafe<Named[]>(
    `SELECT o.id, o.name FROM organizations o
    WHERE o.deleted_at IS NULL AND ${by} AND (
      ($4::uuid IS NULL AND ($1::boolean OR o.id = ANY($2::uuid[])))
      OR EXISTS (SELECT 1 FROM projects p WHERE p.organization_id = o.id AND ${projectInSight}))
    ORDER BY o.id LIMIT 2`,
    [...sightParameters(sight), reference ?? null],
    { prepare: true },
  );
}
