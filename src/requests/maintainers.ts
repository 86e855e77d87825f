import type { Sql, TransactionSql } from 'postgres';
import { v7 as newId } from 'uuid';
import { violatedUnique } from '../db/client.ts';
import { audited, closeAudit, openAudit } from '../db/queries/audit.ts';
import { findMaintainer, findMaintainerGroup, memberByEmail } from '../db/queries/maintainers.ts';
import { insertEvents } from '../db/queries/outbox.ts';
import type { Maintainer } from '../domain/common.ts';
import type { ResourceKind } from '../domain/kinds.ts';
import type { MaintainerGroup, MaintainerGroupCreate } from '../domain/maintainer.ts';
import { MillwrightError, refusedFor } from '../errors.ts';
import { type ActingPlace, type Actor, actOn, inPlace } from './acting.ts';

type Organization = ActingPlace['organization'];

const inOrganization = (actor: Actor, organization: Organization) => inPlace(actor, { organization, project: null });

export async function createMaintainerGroup(
  sql: Sql,
  actor: Actor,
  organization: Organization,
  { name, description, members }: MaintainerGroupCreate,
): Promise<MaintainerGroup> {
  const id = newId();
  const act = {
    ...actOn(inOrganization(actor, organization), 'maintainer-group.create', { id, name }),
    details: { members },
  };
  await audited(sql, act, async (transaction) => {
    const found = await Promise.all(members.map((email) => memberByEmail(transaction, organization.id, email)));
    const faults = members.flatMap((email, index) =>
      found[index] === undefined ? [{ pointer: `/members/${index}`, detail: noMember(organization, email) }] : [],
    );
    if (faults.length > 0) throw refusedFor('invalid', faults);
    await transaction`
      INSERT INTO maintainer_groups (id, organization_id, name, description)
      VALUES (${id}, ${organization.id}, ${name}, ${description})`;
    await transaction`
      INSERT INTO maintainer_group_members (group_id, user_id)
      SELECT DISTINCT ${id}::uuid, unnest(${found.filter((user) => user !== undefined)}::uuid[])`;
  }).catch((error: unknown) => {
    if (violatedUnique(error) !== 'maintainer_groups_name_key') throw error;
    throw new MillwrightError('conflict', `There is already a maintainer group "${name}". Choose another name.`);
  });
  return await maintainerGroupIn(sql, organization, id);
}

/** Only one that maintains nothing: what is maintained shall be somebody's. */
export async function deleteMaintainerGroup(
  sql: Sql,
  actor: Actor,
  organization: Organization,
  reference: string,
): Promise<void> {
  const group = await maintainerGroupIn(sql, organization, reference);
  await audited(
    sql,
    actOn(inOrganization(actor, organization), 'maintainer-group.delete', group),
    async (transaction) => {
      // Whoever gives a resource to it at this moment holds a share of its row.
      await transaction`SELECT FROM maintainer_groups WHERE id = ${group.id} FOR UPDATE`;
      const [kept] = await transaction<{ kind: string; name: string; count: number }[]>`
      SELECT kind, name, count(*) OVER ()::int AS count FROM resources
      WHERE maintainer_id = ${group.id} AND deleted_at IS NULL ORDER BY id LIMIT 1`;
      if (kept) {
        const others = kept.count === 1 ? '' : ` and ${kept.count - 1} more`;
        throw new MillwrightError(
          'conflict',
          `The maintainer group "${group.name}" maintains the ${kept.kind} "${kept.name}"${others}. Give them another maintainer first.`,
        );
      }
      await transaction`DELETE FROM maintainer_groups WHERE id = ${group.id}`;
    },
  );
}

/** One who is in the group, or is not, already stays so. */
export async function setMaintainerGroupMember(
  sql: Sql,
  actor: Actor,
  organization: Organization,
  { reference, email, isIn }: { readonly reference: string; readonly email: string; readonly isIn: boolean },
): Promise<void> {
  const group = await maintainerGroupIn(sql, organization, reference);
  const action = isIn ? 'maintainer-group.add' : 'maintainer-group.remove';
  const act = { ...actOn(inOrganization(actor, organization), action, group), details: { email } };
  await audited(sql, act, async (transaction) => {
    if (!isIn) {
      await transaction`
        DELETE FROM maintainer_group_members m USING users u
        WHERE m.user_id = u.id AND m.group_id = ${group.id} AND u.email = ${email}`;
      return;
    }
    const user = await memberByEmail(transaction, organization.id, email);
    if (user === undefined) throw new MillwrightError('not_found', noMember(organization, email));
    await transaction`
      INSERT INTO maintainer_group_members (group_id, user_id) VALUES (${group.id}, ${user}) ON CONFLICT DO NOTHING`;
  });
}

export async function maintainerGroupIn(
  sql: Sql,
  organization: Organization,
  reference: string,
): Promise<MaintainerGroup> {
  const group = await findMaintainerGroup(sql, organization.id, reference);
  if (!group) throw new MillwrightError('not_found', `There is no maintainer group "${reference}".`);
  return group;
}

/** Whom a request means by this. Throws `invalid` where there is nobody of that name. */
export async function maintainerIn(
  sql: Sql | TransactionSql,
  organization: Organization,
  reference: string,
  { keep = false } = {},
): Promise<Maintainer> {
  const maintainer = await findMaintainer(sql, organization.id, reference, { keep });
  if (maintainer) return maintainer;
  const detail = reference.includes('@')
    ? noMember(organization, reference)
    : `There is no maintainer group "${reference}".`;
  throw refusedFor('invalid', [{ pointer: '/maintainer', detail }]);
}

/** Of a user who is about to be deleted: what they maintain is nobody's, each on record as any other change of it is. */
export async function letGoOfMaintained(
  sql: TransactionSql,
  { actor, origin }: Actor,
  user: { readonly id: string; readonly name: string },
): Promise<void> {
  const released = await sql<Maintained[]>`
    UPDATE resources SET maintainer_id = NULL, updated_at = now() WHERE maintainer_id = ${user.id} AND deleted_at IS NULL
    RETURNING id, kind, name, organization_id AS "organizationId", project_id AS "projectId"`;
  for (const { organizationId, projectId, ...resource } of released) {
    const where = { actor, origin, organizationId, projectId };
    const details = { maintainer: null, maintainerBefore: user.name };
    const act = await openAudit(sql, { ...actOn(where, `${resource.kind}.update`, resource), details });
    await closeAudit(sql, act, 'SUCCEEDED');
  }
  const events = released.map(({ organizationId, projectId, ...resource }) => ({
    ...{ organizationId, projectId, resource },
    ...{ type: 'resource.updated', data: { maintainer: null } },
  }));
  await insertEvents(sql, events);
}

interface Maintained {
  readonly id: string;
  readonly kind: ResourceKind;
  readonly name: string;
  readonly organizationId: string;
  readonly projectId: string;
}

const noMember = (organization: Organization, email: string): string =>
  `Nobody in the organization "${organization.name}" has the address "${email}". Give them a role first.`;
