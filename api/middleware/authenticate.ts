import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { Database } from '../../src/db/client.ts';
import { findProject, findToken, type TokenOwner } from '../../src/db/queries/tokens.ts';
import { isId } from '../../src/domain/common.ts';
import { MillwrightError } from '../../src/errors.ts';
import type { ApiEnv } from '../env.ts';

/** A token looked up is believed for this long, so that a burst of requests asks the database once. */
const believedMs = 2000;
const keptAtMost = 10_000;

/** Finds out who asks, by the bearer token (RFC 6750), and in which project, by `?project=` or the token's own. */
export function authenticate(database: Database) {
  const known = new Map<string, { readonly at: number; readonly owner: Promise<TokenOwner | undefined> }>();

  function ownerOf(token: string): Promise<TokenOwner | undefined> {
    const before = known.get(token);
    if (before && Date.now() - before.at < believedMs) return before.owner;
    if (known.size >= keptAtMost) known.clear();
    const owner = findToken(database, token);
    known.set(token, { at: Date.now(), owner });
    owner.then(
      (found) => found ?? known.delete(token),
      () => known.delete(token),
    );
    return owner;
  }

  return createMiddleware<ApiEnv>(async (context, next) => {
    const token = /^Bearer +(\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1];
    if (!token) {
      throw new MillwrightError(
        'unauthenticated',
        'Give a token: "Authorization: Bearer <token>". A new platform keeps the operator’s in operator.token of its home.',
      );
    }
    const owner = await ownerOf(token);
    if (!owner)
      throw new MillwrightError('unauthenticated', 'This token is not valid: it is unknown, expired or revoked.');
    const wanted = context.req.query('project');
    const project = wanted === undefined ? owner.project : await projectFor(database, owner, wanted);
    context.set('role', owner.role);
    context.set('caller', { organization: owner.organization, project, actor: owner.name, origin: addressOf(context) });
    await next();
  });
}

/** Operators may name any project of their organisation, members their own. */
async function projectFor(
  database: Database,
  owner: TokenOwner,
  wanted: string,
): Promise<{ id: string; name: string }> {
  if (wanted === owner.project.id || wanted === owner.project.name) return owner.project;
  const project =
    owner.role === 'operator' ? await findProject(database, owner.organization.id, wanted, isId(wanted)) : undefined;
  if (!project) throw new MillwrightError('not_found', `There is no project "${wanted}".`);
  return project;
}

function addressOf(context: Context): string | null {
  try {
    return getConnInfo(context).remote.address ?? null;
  } catch {
    // A request that came through no socket, as tests make them.
    return null;
  }
}

/** The operators' name space is theirs alone. */
export const operatorsOnly = createMiddleware<ApiEnv>(async (context, next) => {
  if (context.get('role') !== 'operator')
    throw new MillwrightError('forbidden', 'This is for operators; your token is a member’s.');
  await next();
});
