import type { Sql } from 'postgres';
import { findOrganizations, findProjects } from '../src/db/queries/places.ts';
import { roleAt, seesOrganization } from '../src/domain/access.ts';
import type { Principal } from '../src/domain/principal.ts';
import { MillwrightError } from '../src/errors.ts';
import type { ActingPlace } from '../src/requests/acting.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}

/** What a request names, each by id or name. */
interface Meant {
  readonly project: string | undefined;
  readonly organization: string | undefined;
}

export interface Places {
  /** The project that a request means: the one it names, else the token's own, else the only one in sight. */
  project(principal: Principal, meant: Meant): Promise<ActingPlace & { readonly project: Named }>;
  /** The organisation that a request means: likewise. */
  organization(principal: Principal, reference: string | undefined): Promise<Named>;
}

/** Finds projects and organisations as each principal sees them: what it holds nothing in does not exist for it. */
export function placesIn(sql: Sql): Places {
  async function organization(principal: Principal, reference: string | undefined): Promise<Named> {
    const { organization: own, rights } = principal;
    const meansOwn = own && (reference === undefined || reference === own.id || reference === own.name);
    if (meansOwn && seesOrganization(rights, own.id)) return own;
    return onlyOne(await findOrganizations(sql, rights, reference), 'organization', reference);
  }

  async function project(principal: Principal, meant: Meant): Promise<ActingPlace & { project: Named }> {
    const { project: own, rights } = principal;
    const isOwn = own && (meant.project === undefined || meant.project === own.id || meant.project === own.name);
    const isThere =
      meant.organization === undefined || [own?.organization.id, own?.organization.name].includes(meant.organization);
    if (isOwn && isThere && roleAt(rights, { organizationId: own.organization.id, projectId: own.id })) {
      return { organization: own.organization, project: { id: own.id, name: own.name } };
    }
    const within = meant.organization === undefined ? undefined : await organization(principal, meant.organization);
    const near = within ?? (meant.project === undefined ? undefined : principal.organization);
    const wanted = { reference: meant.project, organizationId: near?.id };
    let found = await findProjects(sql, rights, wanted);
    if (found.length === 0 && near !== within)
      found = await findProjects(sql, rights, { ...wanted, organizationId: undefined });
    const { id, name, organization: its } = onlyOne(found, 'project', meant.project);
    return { organization: its, project: { id, name } };
  }

  return { project, organization };
}

function onlyOne<Found>(
  found: readonly Found[],
  what: 'project' | 'organization',
  reference: string | undefined,
): Found {
  const [first, second] = found;
  if (first && !second) return first;
  if (reference === undefined) {
    if (!first)
      throw new MillwrightError('forbidden', `You have no role in any ${what} yet; ask an administrator for one.`);
    throw ambiguous(what, `Say which ${what} is meant, as ?${what}=<id or name>: you have a role in several.`);
  }
  if (!first) throw new MillwrightError('not_found', `There is no ${what} "${reference}".`);
  throw ambiguous(
    'organization',
    `Several organizations have a ${what} "${reference}"; say which, as ?organization=<id or name>.`,
  );
}

const ambiguous = (parameter: string, detail: string): MillwrightError =>
  new MillwrightError('invalid', detail, { faults: [{ pointer: `/${parameter}`, detail }] });
