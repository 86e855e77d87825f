import type { Sql } from 'postgres';
import { v7 as newId } from 'uuid';
import { violatedUnique } from '../db/client.ts';
import { audited } from '../db/queries/audit.ts';
import { findServiceAccount } from '../db/queries/service-accounts.ts';
import type { ServiceAccount } from '../domain/tenancy.ts';
import { MillwrightError } from '../errors.ts';
import { type ActingPlace, type Actor, inPlace } from './acting.ts';
import { refuseToOrphan } from './administrators.ts';

/** Makes a service account, without any role yet. */
export async function createServiceAccount(
  sql: Sql,
  actor: Actor,
  place: ActingPlace,
  name: string,
): Promise<ServiceAccount> {
  const id = newId();
  const { organizationId, projectId } = inPlace(actor, place);
  const act = {
    ...inPlace(actor, place),
    action: 'service-account.create',
    resource: { kind: 'service-account', id, name },
  };
  await audited(sql, act, async (transaction) => {
    await transaction`INSERT INTO service_accounts (id, organization_id, project_id, name) VALUES (${id}, ${organizationId}, ${projectId}, ${name})`;
  }).catch((error: unknown) => {
    if (violatedUnique(error) !== 'service_accounts_name_key') throw error;
    throw new MillwrightError('conflict', `There is already a service account "${name}" here. Choose another name.`);
  });
  return await serviceAccountIn(sql, place, id);
}

/** Ends its tokens and roles too. */
export async function deleteServiceAccount(
  sql: Sql,
  actor: Actor,
  place: ActingPlace,
  reference: string,
): Promise<void> {
  const { id, name, projectId } = await serviceAccountIn(sql, place, reference);
  const resource = { kind: 'service-account', id, name };
  const act = { ...inPlace(actor, place), projectId, action: 'service-account.delete', resource };
  await audited(sql, act, async (transaction) => {
    await refuseToOrphan(transaction, { serviceAccountId: id });
    await transaction`DELETE FROM service_accounts WHERE id = ${id}`;
  });
}

/** The service account that is meant, or `not_found`. */
export async function serviceAccountIn(
  sql: Sql,
  { organization, project }: ActingPlace,
  reference: string,
): Promise<ServiceAccount> {
  const where = { organizationId: organization.id, projectId: project?.id ?? null };
  const account = await findServiceAccount(sql, where, reference);
  if (!account) throw accountNotFound(reference);
  return account;
}

export const accountNotFound = (reference: string): MillwrightError =>
  new MillwrightError('not_found', `There is no service account "${reference}" here.`);
