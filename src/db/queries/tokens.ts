import { and, eq, gt, isNull, or, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { apiTokens, organizations, projects } from '../schema/tenancy.ts';
import { tokenHash } from '../seed.ts';

export interface TokenOwner {
  readonly name: string;
  readonly role: 'operator' | 'member';
  readonly organization: { readonly id: string; readonly name: string };
  readonly project: { readonly id: string; readonly name: string };
}

/** Whose token this is, while it is valid. */
export async function findToken({ orm }: Database, token: string): Promise<TokenOwner | undefined> {
  const [row] = await orm
    .select({
      name: apiTokens.name,
      role: apiTokens.role,
      organization: { id: organizations.id, name: organizations.name },
      project: { id: projects.id, name: projects.name },
    })
    .from(apiTokens)
    .innerJoin(organizations, eq(organizations.id, apiTokens.organizationId))
    .innerJoin(projects, eq(projects.id, apiTokens.projectId))
    .where(
      and(
        eq(apiTokens.hash, tokenHash(token)),
        isNull(apiTokens.revokedAt),
        or(isNull(apiTokens.expiresAt), gt(apiTokens.expiresAt, sql`now()`)),
      ),
    );
  return row;
}

/** A project of an organisation, by id or name. */
export async function findProject(
  { orm }: Database,
  organizationId: string,
  reference: string,
  byId: boolean,
): Promise<{ id: string; name: string } | undefined> {
  const [row] = await orm
    .select({ id: projects.id, name: projects.name })
    .from(projects)
    .where(
      and(
        eq(projects.organizationId, organizationId),
        byId ? eq(projects.id, reference) : eq(projects.name, reference),
      ),
    );
  return row;
}
