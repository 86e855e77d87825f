/**
 * Who may do what. A *principal* (a user, a service account, or the platform's own token) holds *grants*: a role on a
 * project, on an organisation (and so in all its projects) or on the platform. What a token lets through of them is its
 * *limit*: a role at most, and perhaps one project.
 *
 * ```
 *  viewer   sees a project's resources, jobs and events
 *  member   and uses it: creates, deletes, applies, settles
 *  admin    and says who else may: members, tokens, service accounts, projects, webhooks
 *  operator and runs the platform: everything of every tenant, and `/api/ops`
 * ```
 */
export const roles = ['viewer', 'member', 'admin', 'operator'] as const;
export type Role = (typeof roles)[number];

/** What a tenant may give; `operator` is given by operators alone, on the platform. */
export const tenantRoles = ['viewer', 'member', 'admin'] as const;

const rankOf: Readonly<Record<Role, number>> = { viewer: 0, member: 1, admin: 2, operator: 3 };

export const reaches = (role: Role | undefined, wanted: Role): boolean =>
  role !== undefined && rankOf[role] >= rankOf[wanted];

const lowerRole = (a: Role, b: Role): Role => (rankOf[a] <= rankOf[b] ? a : b);

/**
 * What a permission is about. `project`: the one that the request means. `organization`: likewise. `scope`: a project
 * where the request names one, else the organisation. `platform`: Millwright itself. `self`: whoever asks.
 */
export const permissions = {
  'resource.read': { role: 'viewer', at: 'project' },
  'resource.write': { role: 'member', at: 'project' },
  // Whoever enrols a host says what address the region's workers connect to, and what they do there.
  'bare-metal-host.write': { role: 'operator', at: 'project' },
  'job.read': { role: 'viewer', at: 'project' },
  'job.write': { role: 'member', at: 'project' },
  'batch.read': { role: 'viewer', at: 'project' },
  'batch.write': { role: 'member', at: 'project' },
  'event.read': { role: 'viewer', at: 'project' },
  'drift.read': { role: 'viewer', at: 'project' },
  'incident.read': { role: 'viewer', at: 'project' },
  'incident.write': { role: 'member', at: 'project' },
  'quota.read': { role: 'viewer', at: 'project' },
  'webhook.read': { role: 'admin', at: 'project' },
  'webhook.write': { role: 'admin', at: 'project' },
  'audit.read': { role: 'admin', at: 'scope' },
  'project.read': { role: 'viewer', at: 'project' },
  'project.create': { role: 'admin', at: 'organization' },
  'project.delete': { role: 'admin', at: 'project' },
  'role-binding.read': { role: 'viewer', at: 'scope' },
  'role-binding.write': { role: 'admin', at: 'scope' },
  'maintainer-group.read': { role: 'viewer', at: 'scope' },
  'maintainer-group.write': { role: 'admin', at: 'organization' },
  'service-account.read': { role: 'viewer', at: 'scope' },
  'service-account.write': { role: 'admin', at: 'scope' },
  'own.read': { role: 'viewer', at: 'self' },
  'own.write': { role: 'viewer', at: 'self' },
  'platform.read': { role: 'operator', at: 'platform' },
  'platform.write': { role: 'operator', at: 'platform' },
} as const satisfies Record<
  string,
  { readonly role: Role; readonly at: 'project' | 'organization' | 'scope' | 'platform' | 'self' }
>;
export type Permission = keyof typeof permissions;

/** A role on a project (both ids), on an organisation (no project) or on the platform (neither). */
export interface Grant {
  readonly role: Role;
  readonly organizationId: string | null;
  readonly projectId: string | null;
}

/** What a principal holds, and what its token lets through. */
export interface Rights {
  readonly grants: readonly Grant[];
  /** No more than this role, whatever is granted. */
  readonly atMost: Role;
  /** Nothing outside of this project, where it is set. */
  readonly onlyProjectId: string | null;
}

export interface Place {
  readonly organizationId: string;
  /** Null: the organisation itself. */
  readonly projectId: string | null;
}

/** The highest role that holds at a place; undefined where there is none, and so nothing to be seen. */
export function roleAt({ grants, atMost, onlyProjectId }: Rights, place: Place): Role | undefined {
  if (onlyProjectId !== null && onlyProjectId !== place.projectId) return undefined;
  return highest(
    grants.filter((grant) => covers(grant, place)),
    atMost,
  );
}

/** `operator`, or nothing. */
export function roleOnPlatform({ grants, atMost, onlyProjectId }: Rights): Role | undefined {
  const held = grants.some(({ role, organizationId }) => role === 'operator' && organizationId === null);
  return held && atMost === 'operator' && onlyProjectId === null ? 'operator' : undefined;
}

/** Whether an organisation exists for this principal: it holds something in it. */
export function seesOrganization({ grants }: Rights, organizationId: string): boolean {
  return grants.some((grant) => grant.organizationId === null || grant.organizationId === organizationId);
}

function covers(grant: Grant, place: Place): boolean {
  if (grant.organizationId === null) return true;
  if (grant.organizationId !== place.organizationId) return false;
  return grant.projectId === null || grant.projectId === place.projectId;
}

function highest(grants: readonly Grant[], atMost: Role): Role | undefined {
  const [first, ...rest] = grants.map(({ role }) => role);
  if (first === undefined) return undefined;
  return lowerRole(
    rest.reduce((best, role) => (rankOf[role] > rankOf[best] ? role : best), first),
    atMost,
  );
}

/** Whether these rights reach all that grants give, as far as a token of that role lets it through: nobody gives more than they have. */
export function coversAll(rights: Rights, grants: readonly Grant[], role: Role): boolean {
  return grants.every((grant) => {
    const wanted = lowerRole(grant.role, role);
    if (grant.organizationId === null)
      return reaches(wanted === 'operator' ? roleOnPlatform(rights) : everywhere(rights), wanted);
    return reaches(roleAt(rights, { organizationId: grant.organizationId, projectId: grant.projectId }), wanted);
  });
}

/** What an operator's narrower token lets through in every project. */
const everywhere = ({ grants, atMost, onlyProjectId }: Rights): Role | undefined =>
  onlyProjectId === null && grants.some(({ organizationId }) => organizationId === null) ? atMost : undefined;
