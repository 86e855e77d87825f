import type { Command } from 'commander';
import type { Whoami } from '../../src/domain/tenancy.ts';
import { properties } from '../table.ts';
import { apiCommand, type OpenContext, openSession } from './common.ts';

export function whoamiCommand(open: OpenContext): Command {
  const command = apiCommand('whoami', 'show whose token is used, and what it may');
  return command.action(async () => {
    const session = await openSession(command, open);
    const found = await session.client.identity.whoami();
    await session.show(found, () => describe(found, session.tokenSource));
  });
}

const describe = (
  { principal, role, roles, organization, project, projectOnly, expiresAt }: Whoami,
  source: string | undefined,
): string =>
  properties([
    ['Principal', `${principal.kind} ${principal.name}`],
    ['Roles', roles.map((held) => `${held.role} on ${placeOf(held)}`).join(', ') || 'none'],
    ['At most', role],
    ['Organization', organization?.name ?? null],
    ['Project', project && (projectOnly ? `${project.name}, and no other` : project.name)],
    ['Token', source ?? null],
    ['Expires', expiresAt],
  ]);

const placeOf = ({ organizationId, projectId }: Whoami['roles'][number]): string => {
  if (projectId) return `project ${projectId}`;
  return organizationId ? `organization ${organizationId}` : 'the platform';
};
