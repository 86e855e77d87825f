/**
 * The kinds of resource and what may be done with them. Named once; the name runs through every
 * folder, URL and command. No zod here: workflows import this file.
 */
export const resourceKinds = ['vm', 'network', 'volume'] as const;
export type ResourceKind = (typeof resourceKinds)[number];

const verbs = ['create', 'delete'] as const;
export type Verb = (typeof verbs)[number];

/** `<kind>.<verb>`: the type of a job, and of a batch file's operation. */
export type OperationType = `${ResourceKind}.${Verb}`;

export const operationTypes: readonly OperationType[] = resourceKinds.flatMap((kind) =>
  verbs.map((verb) => `${kind}.${verb}` as const),
);

/** The parts of an operation's type. */
export function partsOf(type: OperationType): { kind: ResourceKind; verb: Verb } {
  const kind = resourceKinds.find((candidate) => type.startsWith(`${candidate}.`));
  const verb = verbs.find((candidate) => type.endsWith(`.${candidate}`));
  if (!kind || !verb) throw new Error(`not an operation type: ${type}`);
  return { kind, verb };
}

/** A kind as a URL and a list name it. */
export const plural = { vm: 'vms', network: 'networks', volume: 'volumes' } as const satisfies Record<
  ResourceKind,
  string
>;
