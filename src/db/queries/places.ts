import type { Sql } from 'postgres';
import type { Rights } from '../../domain/access.ts';
import { isId } from '../../domain/common.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}
interface ProjectPlace extends Named {
  readonly organization: Named;
}

/** Of table `p`, the projects in which rights hold anything; $1 to $4 are `sightParameters`. */
export const projectInSight =
  'p.deleted_at IS NULL AND ($1::boolean OR p.organization_id = ANY($2::uuid[]) OR p.id = ANY($3::uuid[])) AND ($4::uuid IS NULL OR p.id = $4)';

/** Of table `o`, the organisations in which, or in a project of which, rights hold anything. */
export const organizationInSight = `o.deleted_at IS NULL AND (($4::uuid IS NULL AND ($1::boolean OR o.id = ANY($2::uuid[])))
  OR EXISTS (SELECT 1 FROM projects p WHERE p.organization_id = o.id AND ${projectInSight}))`;

export const sightParameters = ({ grants, onlyProjectId }: Rights): [boolean, string[], string[], string | null] => [
  grants.some(({ organizationId }) => organizationId === null),
  grants.flatMap(({ organizationId, projectId }) => (organizationId && !projectId ? [organizationId] : [])),
  grants.flatMap(({ projectId }) => projectId ?? []),
  onlyProjectId,
];

const meant = (table: string, reference: string | undefined): string => {
  if (reference === undefined) return '$5::text IS NULL';
  return isId(reference) ? `${table}.id = $5::uuid` : `${table}.name = $5::text`;
};

interface Wanted {
  /** An id or a name; undefined: whichever there is. */
  readonly reference: string | undefined;
  readonly organizationId: string | undefined;
}

/** The projects in sight that are meant, two at most: more than one is as good as many. */
export async function findProjects(sql: Sql, rights: Rights, wanted: Wanted): Promise<ProjectPlace[]> {
  const { reference, organizationId } = wanted;
  return await sql.unsafe<ProjectPlace[]>(
    `SELECT p.id, p.name, jsonb_build_object('id', o.id, 'name', o.name) AS organization
    FROM projects p JOIN organizations o ON o.id = p.organization_id AND o.deleted_at IS NULL
    WHERE ${projectInSight} AND ${meant('p', reference)} AND ($6::uuid IS NULL OR p.organization_id = $6) ORDER BY p.id LIMIT 2`,
    [...sightParameters(rights), reference ?? null, organizationId ?? null],
    { prepare: true },
  );
}

/** The organisations in sight that are meant, two at most. */
export async function findOrganizations(sql: Sql, rights: Rights, reference: string | undefined): Promise<Named[]> {
  return await sql.unsafe<Named[]>(
    `SELECT o.id, o.name FROM organizations o WHERE ${organizationInSight} AND ${meant('o', reference)} ORDER BY o.id LIMIT 2`,
    [...sightParameters(rights), reference ?? null],
    { prepare: true },
  );
}
