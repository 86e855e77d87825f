import { hostSwitches, hostVerbs } from './host-states.ts';

/**
 * The kinds of resource and what may be done with them. Named once; the name runs through every
 * folder, URL and command. No zod here: workflows import this file.
 */
export const resourceKinds = ['vm', 'network', 'volume', 'snapshot', 'bucket', 'bare-metal-host', 'cluster'] as const;
export type ResourceKind = (typeof resourceKinds)[number];
/** Those that a provider makes. A host is there before anybody asks. */
export const madeKinds = ['vm', 'network', 'snapshot', 'volume', 'bucket'] as const;
export type MadeKind = (typeof madeKinds)[number];

/**
 * What may be asked of each kind. `create` begins a resource's life and `delete` ends it; every other verb is an *act*
 * on one that is there: `POST /<plural>/{id}/<verb>`, `millwright <kind> <verb>`, `<kind>.<verb>` in a batch.
 */
export const verbsOf = {
  vm: ['create', 'delete', 'start', 'stop', 'reboot', 'suspend', 'resume', 'resize', 'rebuild'],
  network: ['create', 'delete'],
  volume: ['create', 'delete', 'attach', 'detach', 'grow', 'restore'],
  snapshot: ['create', 'delete'],
  bucket: ['create', 'delete', 'create-key', 'revoke-key'],
  'bare-metal-host': ['create', 'delete', ...hostVerbs, ...hostSwitches],
  cluster: ['create', 'delete', 'scale'],
} as const satisfies Readonly<Record<ResourceKind, readonly ['create', 'delete', ...string[]]>>;
export type VerbOf<Kind extends ResourceKind> = (typeof verbsOf)[Kind][number];
export type Verb = VerbOf<ResourceKind>;
export type Act = Exclude<Verb, 'create' | 'delete'>;

/** `<kind>.<verb>`: the type of a job, and of a batch file's operation. */
export type OperationType = { readonly [Kind in ResourceKind]: `${Kind}.${VerbOf<Kind>}` }[ResourceKind];
export type ActType = Exclude<OperationType, `${ResourceKind}.${'create' | 'delete'}`>;
export type MadeActType = Extract<ActType, `${MadeKind}.${string}`>;

const isType = (_type: string): _type is OperationType => true;
export const operationTypes: readonly OperationType[] = resourceKinds.flatMap((kind) =>
  verbsOf[kind].map((verb) => `${kind}.${verb}`).filter(isType),
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

/** Whether an operation of this type is a job on a resource, of the same type. */
export const isOperationType = (type: BatchOperationType | 'batch.apply'): type is OperationType =>
  operationTypes.some((known) => known === type);

/** Whether it acts on a resource that is there: neither makes nor removes one. */
export const isActType = (type: BatchOperationType | 'batch.apply'): type is ActType =>
  isOperationType(type) && !type.endsWith('.create') && !type.endsWith('.delete');

/** An act on what a provider made. */
export const isMadeActType = (type: OperationType): type is MadeActType =>
  isActType(type) && madeKinds.some((kind) => type.startsWith(`${kind}.`));

/** The kind of the resource that an operation is about; undefined for a wait, a call or the end of a group. */
export const kindOf = (type: BatchOperationType): ResourceKind | undefined =>
  resourceKinds.find((kind) => type.startsWith(`${kind}.`));

/** The parts of an operation's type. */
export function partsOf(type: OperationType): { kind: ResourceKind; verb: Verb } {
  const kind = resourceKinds.find((candidate) => type.startsWith(`${candidate}.`));
  const verb = kind && verbsOf[kind].find((candidate) => type === `${kind}.${candidate}`);
  if (!kind || !verb) throw new Error(`not an operation type: ${type}`);
  return { kind, verb };
}

/** The type of a job that does this to that kind. Throws for a verb that the kind does not have. */
export function typeOf(kind: ResourceKind, verb: Verb): OperationType {
  const type = operationTypes.find((known) => known === `${kind}.${verb}`);
  if (!type) throw new Error(`a ${kind} has no verb ${verb}`);
  return type;
}

/** The acts that a kind has. */
export const actsOf = (kind: ResourceKind): readonly Act[] =>
  verbsOf[kind].flatMap((verb) => (verb === 'create' || verb === 'delete' ? [] : [verb]));

/** A kind as a URL and a list name it. */
export const plural = {
  vm: 'vms',
  network: 'networks',
  volume: 'volumes',
  snapshot: 'snapshots',
  bucket: 'buckets',
  'bare-metal-host': 'bare-metal-hosts',
  cluster: 'clusters',
} as const satisfies Record<ResourceKind, string>;
