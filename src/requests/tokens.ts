import { randomBytes } from 'node:crypto';
import type { Sql } from 'postgres';
import { v7 as newId } from 'uuid';
import { audited } from '../db/queries/audit.ts';
import { grantsOf } from '../db/queries/principals.ts';
import { findToken, type TokenOwner } from '../db/queries/tokens.ts';
import { tokenHash } from '../db/seed.ts';
import { coversAll, type Grant, type Role, reaches, roleAt, roleOnPlatform } from '../domain/access.ts';
import type { Principal } from '../domain/principal.ts';
import type { NewToken, ServiceAccount, Token, TokenCreate } from '../domain/tenancy.ts';
import { MillwrightError } from '../errors.ts';
import { type ActingPlace, type Actor, onPlatform } from './acting.ts';

const dayMs = 24 * 60 * 60 * 1000;
const usualDays = 90;

export interface TokenOptions {
  /** How far off a token's end may be, at most. */
  readonly maxDays: number;
}

/** A new secret, as a token is given out. */
const newTokenText = (): string => `mw_${randomBytes(32).toString('base64url')}`;

/** Whose a principal's own tokens are; the platform's own see each other only as operators. */
export function ownerOf({ kind, id, tokenId, rights }: Principal): TokenOwner {
  if (kind === 'user' && id) return { userId: id };
  if (kind === 'service-account' && id) return { serviceAccountId: id };
  return { tokenId: rights.atMost === 'operator' ? null : tokenId };
}

/**
 * Makes a token for whoever asks. It lets through no more than the token that asks, is bound to its project where that
 * one is, and does not outlive it (an issuer's token is short-lived by nature, and makes others that are not). `project` is where it is for, if it is for one alone.
 */
export async function createOwnToken(
  sql: Sql,
  actor: Actor,
  { name, role, expiresAt }: TokenCreate,
  project: ActingPlace | undefined,
  options: TokenOptions,
): Promise<NewToken> {
  const { principal } = actor;
  const { rights } = principal;
  const wanted = role ?? rights.atMost;
  if (!reaches(rights.atMost, wanted)) throw tooMuch(wanted);
  const place =
    project ?? (principal.project && { organization: principal.project.organization, project: principal.project });
  const ofPlatform = principal.kind === 'platform' && wanted !== 'operator';
  if (ofPlatform && !place)
    throw new MillwrightError('invalid', 'Say which project this token is for.', {
      faults: [{ pointer: '/project', detail: 'Expected a project' }],
    });
  if (
    ofPlatform &&
    place &&
    !reaches(roleAt(rights, { organizationId: place.organization.id, projectId: place.project?.id ?? null }), wanted)
  )
    throw tooMuch(wanted);
  if (project && wanted === 'operator') {
    throw new MillwrightError(
      'invalid',
      'An operator’s token is for the platform, not for one project. Ask for the role admin, or leave out the project.',
      { faults: [{ pointer: '/project', detail: 'Not for the role operator' }] },
    );
  }
  return await insert(sql, actor, {
    name,
    role: wanted,
    owner: ownerOf(principal),
    organizationId: place?.organization.id ?? principal.organization?.id ?? null,
    projectId: place?.project?.id ?? null,
    projectOnly: project !== undefined || rights.onlyProjectId !== null || ofPlatform,
    expiresAt: endOf(expiresAt, options, principal.tokenId === null ? null : principal.expiresAt),
  });
}

/** Makes a token for a service account. Whoever asks must hold, themselves, all that it lets through. */
export async function createServiceAccountToken(
  sql: Sql,
  actor: Actor,
  account: ServiceAccount,
  { name, role = 'admin', expiresAt }: TokenCreate,
  project: ActingPlace | undefined,
  options: TokenOptions,
): Promise<NewToken> {
  const { rights } = actor.principal;
  const grants: readonly Grant[] = await grantsOf(sql, account.id);
  // What the account may be given later counts too: an operator's token is an operator's to make.
  if (role === 'operator' && !roleOnPlatform(rights)) throw tooMuch(role);
  if (!reaches(rights.atMost, role) || !coversAll(rights, grants, role)) throw tooMuch(role);
  const home = project?.project?.id ?? account.projectId;
  return await insert(sql, actor, {
    name,
    role,
    owner: { serviceAccountId: account.id },
    organizationId: project?.organization.id ?? account.organizationId,
    projectId: home,
    projectOnly: home !== null,
    expiresAt: endOf(expiresAt, options, null),
  });
}

/**
 * Ends a token of whoever asks. One that was narrowed ends itself and what lets through no more than it does: who finds
 * it does not lock out the others.
 */
export async function revokeOwnToken(sql: Sql, actor: Actor, id: string): Promise<void> {
  const { principal } = actor;
  const owner = ownerOf(principal);
  const token = id === principal.tokenId ? undefined : await findToken(sql, owner, id);
  if (token) refuseIfWider(token, principal);
  await revokeToken(sql, actor, owner, id);
}

function refuseIfWider({ name, role, projectOnly, projectId }: Token, { rights, project }: Principal): void {
  const { atMost, onlyProjectId } = rights;
  const missing = [
    ...(reaches(atMost, role) ? [] : [`the role ${role} (yours lets through ${atMost})`]),
    ...(onlyProjectId === null || (projectOnly && projectId === onlyProjectId)
      ? []
      : [`what is outside of the project "${project?.name ?? onlyProjectId}", which is all that yours is for`]),
  ];
  if (missing.length === 0) return;
  throw new MillwrightError(
    'forbidden',
    `The token "${name}" lets through more than the one that asks: ${missing.join('; and ')}. Revoke it with one that lets through as much.`,
  );
}

/** Ends a token: the next request with it is refused. */
export async function revokeToken(sql: Sql, actor: Actor, owner: TokenOwner, id: string): Promise<void> {
  const token = await findToken(sql, owner, id);
  if (!token) throw new MillwrightError('not_found', `There is no token "${id}" here.`);
  const { name, organizationId, projectId } = token;
  const act = {
    ...onPlatform(actor),
    organizationId,
    projectId,
    action: 'token.revoke',
    resource: { kind: 'token', id, name },
  };
  await audited(sql, act, async (transaction) => {
    await transaction`UPDATE api_tokens SET revoked_at = now() WHERE id = ${id} AND revoked_at IS NULL`;
  });
}

interface NewRow {
  readonly name: string;
  readonly role: Role;
  readonly owner: TokenOwner;
  readonly organizationId: string | null;
  readonly projectId: string | null;
  readonly projectOnly: boolean;
  readonly expiresAt: Date;
}

async function insert(sql: Sql, actor: Actor, row: NewRow): Promise<NewToken> {
  const id = newId();
  const text = newTokenText();
  const { name, role, owner, organizationId, projectId, projectOnly, expiresAt } = row;
  const act = {
    ...onPlatform(actor),
    organizationId,
    projectId,
    action: 'token.create',
    resource: { kind: 'token', id, name },
    details: { role, expiresAt: expiresAt.toISOString(), ...(typeof owner === 'object' ? owner : {}) },
  };
  await audited(sql, act, async (transaction) => {
    await transaction`INSERT INTO api_tokens ${transaction({
      id,
      name,
      role,
      hash: tokenHash(text),
      user_id: typeof owner === 'object' && 'userId' in owner ? owner.userId : null,
      service_account_id: typeof owner === 'object' && 'serviceAccountId' in owner ? owner.serviceAccountId : null,
      organization_id: organizationId,
      project_id: projectId,
      project_only: projectOnly,
      expires_at: expiresAt,
    })}`;
  });
  const token = await findToken(sql, typeof owner === 'object' && 'tokenId' in owner ? { tokenId: id } : owner, id);
  if (!token) throw new MillwrightError('not_found', `The token "${name}" is gone already.`);
  return { ...token, token: text };
}

/** When a token ends: as asked, within what is configured, and not after `latest`. */
function endOf(wanted: string | undefined, { maxDays }: TokenOptions, latest: string | null): Date {
  const now = Date.now();
  const end = wanted === undefined ? now + Math.min(usualDays, maxDays) * dayMs : Date.parse(wanted);
  const fault =
    end <= now ? 'It is in the past' : end > now + maxDays * dayMs ? `At most ${maxDays} days from now` : undefined;
  if (fault)
    throw new MillwrightError('invalid', `expiresAt: ${fault}.`, {
      faults: [{ pointer: '/expiresAt', detail: fault }],
    });
  return new Date(latest === null ? end : Math.min(end, Date.parse(latest)));
}

const tooMuch = (role: Role): MillwrightError =>
  new MillwrightError(
    'forbidden',
    `Nobody gives more than they have: a token of the role ${role} would let through more than yours.`,
  );
