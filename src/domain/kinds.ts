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

/**
 * What an operation of a batch may be beside a request for a resource: a change of labels and protection, a wait, a
 * call to another system, or the end of a group (a `forEach`, a nested batch), which is done when all its members are.
 */
const updateTypes = resourceKinds.map((kind) => `${kind}.update` as const);
type UpdateType = `${ResourceKind}.update`;
const waitTypes = ['wait.for', 'wait.until', 'wait.approval'] as const;
type WaitType = (typeof waitTypes)[number];
export const httpType = 'http.request';
export const joinType = 'group.join';
/** The type of a job that is a saga of its own: one on a resource, or a call to another system. */
export type SagaType = OperationType | typeof httpType;
export type BatchOperationType = OperationType | UpdateType | WaitType | typeof httpType | typeof joinType;

export const batchOperationTypes: readonly BatchOperationType[] = [
  ...operationTypes,
  ...updateTypes,
  ...waitTypes,
  httpType,
  joinType,
];

/** Whether an operation of this type makes or removes a resource, by a job of the same type. */
export const isOperationType = (type: BatchOperationType | 'batch.apply'): type is OperationType =>
  operationTypes.some((known) => known === type);

/** The kind of the resource that an operation is about; undefined for a wait, a call or the end of a group. */
export const kindOf = (type: BatchOperationType): ResourceKind | undefined =>
  resourceKinds.find((kind) => type.startsWith(`${kind}.`));

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
