import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { type Permission, permissions, type Role, reaches, roleAt, roleOnPlatform } from '../../src/domain/access.ts';
import type { Principal } from '../../src/domain/principal.ts';
import { MillwrightError } from '../../src/errors.ts';
import type { ActingPlace, Actor } from '../../src/requests/acting.ts';
import { traceHeaders } from '../../src/telemetry/tracing.ts';
import type { ApiEnv } from '../env.ts';

/** What a route demands of whoever asks. `public`: nothing, not even a token. */
export type Access = Permission | 'public';

/** Where a route finds what it acts on: in the query, or (projects and organisations themselves) in its path. */
export type Target = 'query' | 'path';

/**
 * Finds out who asks and lets a request through that has the permission where it is to act, and says where that is. What the caller cannot see
 * is 404, as if it did not exist; what it sees and may not is 403.
 */
export function authorize(access: Access, target: Target) {
  return createMiddleware<ApiEnv>(async (context, next) => {
    if (access === 'public') {
      await context.get('limits').address(context, context.get('addressOf')(context));
      return next();
    }
    await context.get('authenticate')(context);
    const { at, role: wanted } = permissions[access];
    const principal = context.get('principal');
    switch (at) {
      case 'self':
        context.set('actor', actorOf(context, undefined));
        break;
      case 'platform':
        context.set('actor', actorOf(context, 'operator'));
        refuseUnless(reaches(roleOnPlatform(principal.rights), wanted), access, wanted, 'the platform', principal);
        break;
      case 'project':
      case 'organization':
      case 'scope':
        await enter(context, access, wanted, at, target);
        break;
    }
    await next();
  });
}

async function enter(
  context: Context<ApiEnv>,
  access: Permission,
  wanted: Role,
  at: 'project' | 'organization' | 'scope',
  target: Target,
): Promise<void> {
  const principal = context.get('principal');
  const reference = target === 'path' ? context.req.param('id') : undefined;
  const { project, organization } = context.req.query();
  const meant = {
    project: at === 'organization' ? undefined : (reference ?? project),
    organization: at === 'organization' ? (reference ?? organization) : organization,
  };
  const scoped = project !== undefined || (organization === undefined && principal.rights.onlyProjectId !== null);
  const ofProject = at === 'project' || (at === 'scope' && scoped);
  const place = ofProject
    ? await context.get('places').project(principal, meant)
    : { organization: await context.get('places').organization(principal, meant.organization), project: null };
  const role = roleAt(principal.rights, {
    organizationId: place.organization.id,
    projectId: place.project?.id ?? null,
  });
  const where = place.project ? `project "${place.project.name}"` : `organization "${place.organization.name}"`;
  refuseUnless(reaches(role, wanted), access, wanted, where, principal);
  context.set('place', place);
  context.set('stillAllowed', () => stillReaches(context, place, wanted));
  const actor = actorOf(context, role);
  context.set('actor', actor);
  if (place.project)
    context.set('caller', {
      organization: place.organization,
      project: place.project,
      isOperator: role === 'operator',
      actor: actor.actor,
      origin: actor.origin,
      trail: { requestId: context.get('requestId'), ...traceHeaders() },
    });
}

/** Whether the same token would be let through now. */
async function stillReaches(
  context: Context<ApiEnv>,
  { organization, project }: ActingPlace,
  wanted: Role,
): Promise<boolean> {
  try {
    const { rights } = await context.get('identifyAgain')();
    return reaches(roleAt(rights, { organizationId: organization.id, projectId: project?.id ?? null }), wanted);
  } catch (error) {
    if (error instanceof MillwrightError && error.code === 'unauthenticated') return false;
    throw error;
  }
}

/** For the audit log: an operator is named as one, in whosever project it acts. */
function actorOf(context: Context<ApiEnv>, role: Role | undefined): Actor {
  const principal = context.get('principal');
  const { kind, name } = principal;
  const actor = kind === 'platform' ? name : `${role === 'operator' ? 'operator' : kind}/${name}`;
  return { principal, actor, origin: context.get('addressOf')(context) };
}

function refuseUnless(allowed: boolean, access: Permission, wanted: Role, where: string, principal: Principal): void {
  if (allowed) return;
  const limit = reaches(principal.rights.atMost, wanted)
    ? ''
    : ` This token lets through no more than the role ${principal.rights.atMost}.`;
  throw new MillwrightError(
    'forbidden',
    `This wants the permission ${access} on ${where}: the role ${wanted}.${limit}`,
  );
}
