import type { Principal } from '../domain/principal.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}

/** Who acts, for the audit log and for what it may give. */
export interface Actor {
  readonly principal: Principal;
  /** As the audit log names it. */
  readonly actor: string;
  /** The address that the request came from. */
  readonly origin: string | null;
}

/** Where a request acts: in a project, or in an organisation itself. */
export interface ActingPlace {
  readonly organization: Named;
  readonly project: Named | null;
}

/** Who and where, as an act has it. */
export const inPlace = ({ actor, origin }: Actor, place: ActingPlace) => ({
  actor,
  origin,
  organizationId: place.organization.id,
  projectId: place.project?.id ?? null,
});

export const onPlatform = ({ actor, origin }: Actor) => ({ actor, origin, organizationId: null, projectId: null });

type Where = ReturnType<typeof inPlace> | ReturnType<typeof onPlatform>;

/** `<kind>.<verb>` on something that has a name, as the audit log has it. */
export const actOn = (where: Where, action: `${string}.${string}`, { id, name }: Named) => ({
  ...where,
  action,
  resource: { kind: action.slice(0, action.indexOf('.')), id, name },
});
