import type { Sql } from 'postgres';
import type { Grant, Role } from '../../domain/access.ts';
import type { Principal } from '../../domain/principal.ts';
import { iso } from './iso.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}

interface TokenRow {
  readonly hash: string;
  readonly tokenId: string;
  readonly tokenName: string;
  readonly role: Role;
  readonly projectOnly: boolean;
  readonly expiresAt: string | null;
  readonly userId: string | null;
  readonly userName: string | null;
  readonly serviceAccountId: string | null;
  readonly serviceAccountName: string | null;
  readonly organization: Named | null;
  readonly project: Named | null;
  readonly grants: readonly Grant[];
}

const grantsWhere = (condition: string): string =>
  `coalesce((SELECT jsonb_agg(jsonb_build_object('role', b.role, 'organizationId', b.organization_id, 'projectId', b.project_id))
    FROM role_bindings b WHERE ${condition}), '[]') AS grants`;

const tokens = `SELECT t.hash, t.id AS "tokenId", t.name AS "tokenName", t.role, t.project_only AS "projectOnly", ${iso('t.expires_at')} AS "expiresAt",
    t.user_id AS "userId", coalesce(u.email, u.name) AS "userName", t.service_account_id AS "serviceAccountId", s.name AS "serviceAccountName",
    CASE WHEN o.id IS NOT NULL THEN jsonb_build_object('id', o.id, 'name', o.name) END AS organization,
    CASE WHEN p.id IS NOT NULL THEN jsonb_build_object('id', p.id, 'name', p.name) END AS project,
    ${grantsWhere('b.user_id = t.user_id OR b.service_account_id = t.service_account_id')}
  FROM api_tokens t
    LEFT JOIN users u ON u.id = t.user_id
    LEFT JOIN service_accounts s ON s.id = t.service_account_id
    LEFT JOIN organizations o ON o.id = t.organization_id AND o.deleted_at IS NULL
    LEFT JOIN projects p ON p.id = t.project_id AND p.deleted_at IS NULL
  WHERE t.hash = ANY($1::text[]) AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())`;

/** Whose tokens these are, by hash; one that is unknown, expired or revoked is not among them. */
export async function principalsByHash(sql: Sql, hashes: readonly string[]): Promise<ReadonlyMap<string, Principal>> {
  const rows = await sql.unsafe<TokenRow[]>(tokens, [[...hashes]], { prepare: true });
  return new Map(rows.map((row) => [row.hash, principalOf(row)]));
}

function principalOf(row: TokenRow): Principal {
  const { organization, project } = row;
  const common = {
    tokenId: row.tokenId,
    expiresAt: row.expiresAt,
    organization,
    project: project && organization ? { ...project, organization } : null,
  };
  // A project that is gone leaves a token of it alone without anything.
  const lost = row.projectOnly && !project;
  const limits = { atMost: row.role, onlyProjectId: row.projectOnly ? (project?.id ?? null) : null };
  if (row.userId !== null) {
    const rights = { grants: lost ? [] : row.grants, ...limits };
    return { ...common, kind: 'user', id: row.userId, name: row.userName ?? '', rights };
  }
  if (row.serviceAccountId !== null) {
    const rights = { grants: lost ? [] : row.grants, ...limits };
    return { ...common, kind: 'service-account', id: row.serviceAccountId, name: row.serviceAccountName ?? '', rights };
  }
  const rights = { grants: ownGrants(row), ...limits };
  return { ...common, kind: 'platform', id: null, name: row.tokenName, rights };
}

/** What the platform's own tokens hold: their role on their project, or on the platform. */
function ownGrants({ role, organization, project, projectOnly }: TokenRow): readonly Grant[] {
  if (role === 'operator' && !projectOnly) return [{ role, organizationId: null, projectId: null }];
  if (!organization || !project || role === 'operator') return [];
  return [{ role, organizationId: organization.id, projectId: project.id }];
}

/** What a service account holds. */
export async function grantsOf(sql: Sql, serviceAccountId: string): Promise<readonly Grant[]> {
  return await sql<Grant[]>`
    SELECT role, organization_id AS "organizationId", project_id AS "projectId" FROM role_bindings WHERE service_account_id = ${serviceAccountId}`;
}

interface UserRow extends Named {
  readonly email: string | null;
  readonly grants: readonly Grant[];
}

/** The user whom the OIDC issuer calls so; undefined where nobody has been seen under that subject. */
export async function principalBySubject(sql: Sql, issuer: string, subject: string): Promise<Principal | undefined> {
  const [row] = await sql.unsafe<UserRow[]>(
    `SELECT u.id, u.name, u.email, ${grantsWhere('b.user_id = u.id')} FROM users u WHERE u.issuer = $1 AND u.subject = $2`,
    [issuer, subject],
    { prepare: true },
  );
  if (!row) return undefined;
  const rights = { grants: row.grants, atMost: 'operator' as const, onlyProjectId: null };
  return {
    kind: 'user',
    id: row.id,
    name: row.email ?? row.name,
    tokenId: null,
    expiresAt: null,
    rights,
    organization: null,
    project: null,
  };
}
