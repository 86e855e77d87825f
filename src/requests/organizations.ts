import type { Sql, TransactionSql } from 'postgres';
import { v7 as newId } from 'uuid';
import { violatedUnique } from '../db/client.ts';
import { audited } from '../db/queries/audit.ts';
import { organizationById, projectById } from '../db/queries/organizations.ts';
import { limitColumns } from '../db/queries/quota.ts';
import { newProjectLimits } from '../db/seed.ts';
import type { Organization, Project } from '../domain/tenancy.ts';
import { MillwrightError } from '../errors.ts';
import { type ActingPlace, type Actor, inPlace } from './acting.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}

export async function createOrganization(sql: Sql, actor: Actor, name: string): Promise<Organization> {
  const id = newId();
  const place = { organization: { id, name }, project: null };
  const act = { ...inPlace(actor, place), action: 'organization.create', resource: { kind: 'organization', id, name } };
  await audited(sql, act, async (transaction) => {
    await transaction`INSERT INTO organizations (id, name) VALUES (${id}, ${name})`;
  }).catch((error: unknown) => {
    throw violatedUnique(error) === 'organizations_name_key' ? taken('an organization', name) : error;
  });
  return there(await organizationById(sql, id), 'organization', name);
}

/** With its quota row, which every accepted request counts in. */
export async function createProject(sql: Sql, actor: Actor, place: ActingPlace, name: string): Promise<Project> {
  const { organization } = place;
  const id = newId();
  const act = {
    ...inPlace(actor, { organization, project: { id, name } }),
    action: 'project.create',
    resource: { kind: 'project', id, name },
  };
  await audited(sql, act, async (transaction) => {
    await lockOrganization(transaction, organization);
    await transaction`INSERT INTO projects (id, organization_id, name) VALUES (${id}, ${organization.id}, ${name})`;
    await insertQuota(transaction, id);
  }).catch((error: unknown) => {
    throw violatedUnique(error) === 'projects_live_name_key' ? taken('a project', name) : error;
  });
  return there(await projectById(sql, id), 'project', name);
}

async function insertQuota(transaction: TransactionSql, projectId: string): Promise<void> {
  await transaction`INSERT INTO quotas ${transaction({ project_id: projectId, ...limitColumns(newProjectLimits) })}`;
}

/** Only one that holds nothing any more: 409 says what it still does. Its bindings, service accounts, tokens and webhooks go with it. */
export async function deleteProject(sql: Sql, actor: Actor, organization: Named, project: Named): Promise<void> {
  const resource = { kind: 'project', ...project };
  const act = { ...inPlace(actor, { organization, project }), action: 'project.delete', resource };
  await audited(sql, act, async (transaction) => {
    // Accepting a create takes from the quota row: whoever comes after us finds none, whoever came before us is counted.
    await transaction`SELECT 1 FROM quotas WHERE project_id = ${project.id} FOR UPDATE`;
    const held = await transaction<{ line: string }[]>`
      SELECT count(*) || ' ' || kind || CASE WHEN count(*) > 1 THEN 's' ELSE '' END AS line
      FROM resources WHERE project_id = ${project.id} AND deleted_at IS NULL GROUP BY kind
      UNION ALL SELECT count(*) || CASE WHEN count(*) > 1 THEN ' jobs' ELSE ' job' END || ' under way'
      FROM jobs WHERE project_id = ${project.id} AND ended_at IS NULL HAVING count(*) > 0`;
    refuseIfHeld('project', project.name, held);
    await transaction`DELETE FROM role_bindings WHERE project_id = ${project.id}`;
    await transaction`DELETE FROM service_accounts WHERE project_id = ${project.id}`;
    await transaction`DELETE FROM webhooks WHERE project_id = ${project.id}`;
    await transaction`DELETE FROM quotas WHERE project_id = ${project.id}`;
    await forgetInTokens(transaction, 'project_id', project.id);
    await transaction`UPDATE projects SET deleted_at = now() WHERE id = ${project.id} AND deleted_at IS NULL`;
  });
}

/** Only one that has no project any more. Its bindings, service accounts and tokens go with it. */
export async function deleteOrganization(sql: Sql, actor: Actor, organization: Named): Promise<void> {
  const resource = { kind: 'organization', ...organization };
  const act = { ...inPlace(actor, { organization, project: null }), action: 'organization.delete', resource };
  await audited(sql, act, async (transaction) => {
    await lockOrganization(transaction, organization);
    const held = await transaction<{ line: string }[]>`
      SELECT 'project "' || name || '"' AS line FROM projects
      WHERE organization_id = ${organization.id} AND deleted_at IS NULL ORDER BY name LIMIT 10`;
    refuseIfHeld('organization', organization.name, held);
    await transaction`DELETE FROM role_bindings WHERE organization_id = ${organization.id}`;
    await transaction`DELETE FROM service_accounts WHERE organization_id = ${organization.id}`;
    await forgetInTokens(transaction, 'organization_id', organization.id);
    await transaction`UPDATE organizations SET deleted_at = now() WHERE id = ${organization.id}`;
  });
}

/** Whoever changes what an organisation has, or who administers it, holds its row: one after the other. */
async function lockOrganization(transaction: TransactionSql, { id, name }: Named): Promise<void> {
  const [row] = await transaction`SELECT 1 FROM organizations WHERE id = ${id} AND deleted_at IS NULL FOR UPDATE`;
  if (!row) throw new MillwrightError('not_found', `There is no organization "${name}".`);
}

/** A token that is for nothing else ends; to others it is no longer what they mean by default. */
async function forgetInTokens(
  transaction: TransactionSql,
  column: 'project_id' | 'organization_id',
  id: string,
): Promise<void> {
  await transaction`
    UPDATE api_tokens SET project_id = NULL, ${column === 'organization_id' ? transaction`organization_id = NULL,` : transaction``}
      revoked_at = CASE WHEN project_only OR (user_id IS NULL AND service_account_id IS NULL AND role <> 'operator')
        THEN coalesce(revoked_at, now()) ELSE revoked_at END
    WHERE ${transaction(column)} = ${id}`;
}

function refuseIfHeld(what: string, name: string, held: readonly { line: string }[]): void {
  if (held.length === 0) return;
  const list = held.map(({ line }) => line).join(', ');
  throw new MillwrightError('conflict', `The ${what} "${name}" still holds ${list}. Delete what it holds first.`);
}

const taken = (what: string, name: string): MillwrightError =>
  new MillwrightError('conflict', `There is already ${what} "${name}". Choose another name.`);

function there<View>(view: View | undefined, what: string, name: string): View {
  if (view) return view;
  throw new MillwrightError('not_found', `There is no ${what} "${name}" any more.`);
}
