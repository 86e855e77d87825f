import type { Sql, TransactionSql } from 'postgres';
import { v7 as newId } from 'uuid';
import { violatedUnique } from '../db/client.ts';
import { audited } from '../db/queries/audit.ts';
import { findRoleBinding } from '../db/queries/role-bindings.ts';
import { findServiceAccount } from '../db/queries/service-accounts.ts';
import { type Role, reaches, roleAt, roleOnPlatform } from '../domain/access.ts';
import { isId } from '../domain/common.ts';
import type { Bearer, RoleBinding } from '../domain/tenancy.ts';
import { MillwrightError } from '../errors.ts';
import { type ActingPlace, type Actor, inPlace, onPlatform } from './acting.ts';
import { refuseToOrphan } from './administrators.ts';
import { accountNotFound } from './service-accounts.ts';
import { userByEmail } from './users.ts';

/** Gives a role in a place; `platform` makes an operator. Nobody gives a role that they do not have there themselves. */
export async function createRoleBinding(
  sql: Sql,
  actor: Actor,
  place: ActingPlace | 'platform',
  role: Role,
  bearer: Bearer,
): Promise<RoleBinding> {
  const where = whereOf(place);
  const { rights } = actor.principal;
  const own =
    where.organizationId === null
      ? roleOnPlatform(rights)
      : roleAt(rights, { ...where, organizationId: where.organizationId });
  if (!reaches(own, role)) {
    throw new MillwrightError(
      'forbidden',
      `Nobody gives a role that they do not have: ${role} is more than yours here.`,
    );
  }
  const id = newId();
  const act = {
    ...(place === 'platform' ? onPlatform(actor) : inPlace(actor, place)),
    action: 'role-binding.create',
    resource: { kind: 'role-binding', id, name: null },
    details: { role, ...bearer },
  };
  await audited(sql, act, async (transaction) => {
    const holder = await holderOf(transaction, actor, place, bearer);
    await transaction`INSERT INTO role_bindings ${transaction({ id, role, organization_id: where.organizationId, project_id: where.projectId, ...holder })}`;
  }).catch((error: unknown) => {
    if (violatedUnique(error) !== 'role_bindings_key') throw error;
    throw new MillwrightError('conflict', `${bearer.user ?? bearer.serviceAccount} has the role ${role} here already.`);
  });
  const binding = await findRoleBinding(sql, where, id);
  if (!binding) throw notFound(id);
  return binding;
}

/** Takes a role away; from the next request on it does not hold. */
export async function deleteRoleBinding(
  sql: Sql,
  actor: Actor,
  place: ActingPlace | 'platform',
  id: string,
): Promise<void> {
  const binding = await findRoleBinding(sql, whereOf(place), id);
  if (!binding) throw notFound(id);
  const { role, principal } = binding;
  const act = {
    ...(place === 'platform' ? onPlatform(actor) : inPlace(actor, place)),
    projectId: binding.projectId,
    action: 'role-binding.delete',
    resource: { kind: 'role-binding', id, name: null },
    details: { role, principal: principal.name },
  };
  await audited(sql, act, async (transaction) => {
    await refuseToOrphan(transaction, { bindingId: id });
    await transaction`DELETE FROM role_bindings WHERE id = ${id}`;
  });
}

const whereOf = (place: ActingPlace | 'platform') =>
  place === 'platform'
    ? { organizationId: null, projectId: null }
    : { organizationId: place.organization.id, projectId: place.project?.id ?? null };

async function holderOf(
  transaction: TransactionSql,
  actor: Actor,
  place: ActingPlace | 'platform',
  { user, serviceAccount }: Bearer,
): Promise<{ user_id: string } | { service_account_id: string }> {
  if (user !== undefined) return { user_id: await userByEmail(transaction, user) };
  const reference = serviceAccount ?? '';
  const found =
    place === 'platform'
      ? await anyAccount(transaction, reference)
      : await accountIn(transaction, actor, place, reference);
  if (!found) throw accountNotFound(reference);
  return { service_account_id: found };
}

/**
 * A project's service account is given roles in its project alone: its project's administrators make its tokens. In a
 * project, the organisation's own accounts may be meant too, by those who see them.
 */
async function accountIn(
  transaction: TransactionSql,
  actor: Actor,
  { organization, project }: ActingPlace,
  reference: string,
): Promise<string | undefined> {
  const organizationId = organization.id;
  const ofProject =
    project && (await findServiceAccount(transaction, { organizationId, projectId: project.id }, reference));
  if (ofProject) return ofProject.id;
  if (!roleAt(actor.principal.rights, { organizationId, projectId: null })) return undefined;
  const ofOrganization = await findServiceAccount(transaction, { organizationId, projectId: null }, reference);
  return ofOrganization?.projectId === null ? ofOrganization.id : undefined;
}

/** On the platform names are not unique: by id. */
async function anyAccount(transaction: TransactionSql, reference: string): Promise<string | undefined> {
  if (!isId(reference)) return undefined;
  const [row] = await transaction<{ id: string }[]>`SELECT id FROM service_accounts WHERE id = ${reference}`;
  return row?.id;
}

const notFound = (id: string): MillwrightError =>
  new MillwrightError('not_found', `There is no role binding "${id}" here.`);
