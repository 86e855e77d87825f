import type { Sql } from 'postgres';
import type { Rights } from '../../domain/access.ts';
import type { Organization, Project } from '../../domain/tenancy.ts';
import { iso } from './iso.ts';
import { afterOf, type Page, type PageRequest, toPage } from './pages.ts';
import { organizationInSight, projectInSight, sightParameters } from './places.ts';

/** The organisations in which these rights hold anything, oldest first. */
export async function listOrganizations(sql: Sql, rights: Rights, page: PageRequest): Promise<Page<Organization>> {
  const rows = await sql.unsafe<Organization[]>(
    `SELECT o.id, o.name, ${iso('o.created_at')} AS "createdAt" FROM organizations o
    WHERE ${organizationInSight} AND ($5::uuid IS NULL OR o.id > $5) ORDER BY o.id LIMIT $6`,
    [...sightParameters(rights), afterOf(page.cursor), page.limit + 1],
    { prepare: true },
  );
  return toPage(rows, page.limit, (row) => row);
}

const projectRows = `SELECT p.id, p.name, jsonb_build_object('id', o.id, 'name', o.name) AS organization, ${iso('p.created_at')} AS "createdAt"
  FROM projects p JOIN organizations o ON o.id = p.organization_id AND o.deleted_at IS NULL`;

/** The projects in which these rights hold anything, of one organisation or of all, oldest first. */
export async function listProjects(
  sql: Sql,
  rights: Rights,
  organizationId: string | undefined,
  page: PageRequest,
): Promise<Page<Project>> {
  const rows = await sql.unsafe<Project[]>(
    `${projectRows} WHERE ${projectInSight} AND ($5::uuid IS NULL OR p.organization_id = $5) AND ($6::uuid IS NULL OR p.id > $6)
    ORDER BY p.id LIMIT $7`,
    [...sightParameters(rights), organizationId ?? null, afterOf(page.cursor), page.limit + 1],
    { prepare: true },
  );
  return toPage(rows, page.limit, (row) => row);
}

/** A project, to be shown to whom it is known to. */
export async function projectById(sql: Sql, id: string): Promise<Project | undefined> {
  const [row] = await sql.unsafe<Project[]>(`${projectRows} WHERE p.id = $1 AND p.deleted_at IS NULL`, [id], {
    prepare: true,
  });
  return row;
}

/** An organisation, to be shown to whom it is known to. */
export async function organizationById(sql: Sql, id: string): Promise<Organization | undefined> {
  const [row] = await sql.unsafe<Organization[]>(
    `SELECT o.id, o.name, ${iso('o.created_at')} AS "createdAt" FROM organizations o WHERE o.id = $1 AND o.deleted_at IS NULL`,
    [id],
    { prepare: true },
  );
  return row;
}
