import { hostMoves, hostStates, hostSwitches, hostVerbs, removable, switchable } from './host-states.ts';
import type { ResourceKind, Verb, VerbOf } from './kinds.ts';

/** The state that a resource had before the job. */
export const asBefore = 'as-before';

/**
 * The life of each kind of resource. A verb's job moves it `from` one of the states listed to `during` when the
 * request is accepted, and to `done`, `undone` (rolled back) or `failed` when the job ends.
 *
 * ```
 *            create                    delete
 *   (none) ─────────▶ provisioning ──▶ running ─────────▶ deleting ──▶ deleted
 *                        │  rolled back: deleted             │
 *                        └─ stuck: error ◀───────────────────┘ failed: error ── delete ▶
 * ```
 *
 * For networks, volumes, snapshots and buckets the resting state is `available`. A `deleted` row stays for its jobs' sake; no list
 * and no request sees it, and its name is free.
 *
 * A VM that is there rests in one of three states, and goes from one to another by a job of its own:
 *
 * ```
 *            stop                       suspend
 *   stopped ◀──── stopping ◀─┐       ┌─▶ suspending ──▶ suspended
 *      └─▶ starting ──▶      running      ◀── resuming ◀────┘
 *            start      ▲  reboot: rebooting  │   resume
 *                       └─ rebuild: rebuilding ┘   resize: resizing (running and stopped; it stays what it was)
 * ```
 *
 * An act that is rolled back leaves the state before it. One that failed, and could not be undone, leaves `error`,
 * out of which `start`, `stop`, `reboot` and `rebuild` lead back, as does `delete`.
 */
interface Move {
  /** `[]`: the verb begins a life. */
  readonly from: readonly string[];
  readonly during: string;
  readonly done: string;
  readonly undone: string;
  readonly failed: string;
}

const life = <Rest extends string>(...rest: readonly [Rest, ...Rest[]]) =>
  ({
    create: { from: [], during: 'provisioning', done: rest[0], undone: 'deleted', failed: 'error' },
    delete: { from: [...rest, 'error'], during: 'deleting', done: 'deleted', undone: 'error', failed: 'error' },
  }) as const satisfies Record<'create' | 'delete', Move>;

const act = (from: readonly string[], during: string, done: string): Move => ({
  from,
  during,
  done,
  undone: asBefore,
  failed: 'error',
});

/** A deletion that the provider refuses, because the bucket holds something, leaves it in use. */
const bucketLife = {
  ...life('available'),
  delete: { ...life('available').delete, undone: asBefore },
  'create-key': act(['available'], 'creating-key', 'available'),
  'revoke-key': act(['available', 'error'], 'revoking-key', 'available'),
};

/** What Ironic's table says (host-states.ts); one that is given back is not, and neither is its failed state. */
const hostLife = {
  create: { from: [], during: 'enroll', done: 'enroll', undone: 'deleted', failed: 'enroll' },
  delete: { from: removable, during: 'deleting', done: 'deleted', undone: 'error', failed: 'error' },
  ...mapKeys(hostVerbs, (verb): Move => ({ ...hostMoves[verb], undone: hostMoves[verb].failed })),
  ...mapKeys(
    hostSwitches,
    (): Move => ({ from: switchable, during: 'switching', done: asBefore, undone: asBefore, failed: asBefore }),
  ),
};

function mapKeys<Key extends string, Value>(keys: readonly Key[], of: (key: Key) => Value): Record<Key, Value> {
  return Object.fromEntries(keys.map((key) => [key, of(key)])) as Record<Key, Value>;
}

export const lives: { readonly [Kind in ResourceKind]: Readonly<Record<VerbOf<Kind>, Move>> } = {
  vm: {
    ...life('running', 'stopped', 'suspended'),
    start: act(['stopped', 'error'], 'starting', 'running'),
    stop: act(['running', 'error'], 'stopping', 'stopped'),
    reboot: act(['running', 'error'], 'rebooting', 'running'),
    suspend: act(['running'], 'suspending', 'suspended'),
    resume: act(['suspended'], 'resuming', 'running'),
    resize: act(['running', 'stopped'], 'resizing', asBefore),
    rebuild: act(['running', 'stopped', 'error'], 'rebuilding', 'running'),
  },
  network: life('available'),
  volume: {
    ...life('available'),
    attach: act(['available'], 'attaching', 'available'),
    detach: act(['available'], 'detaching', 'available'),
    grow: act(['available'], 'growing', 'available'),
    restore: act(['available'], 'restoring', 'available'),
  },
  snapshot: life('available'),
  bucket: bucketLife,
  'bare-metal-host': hostLife,
  cluster: { ...life('available'), scale: act(['available'], 'scaling', 'available') },
};

/** How a verb moves a resource of a kind. Throws for a verb that the kind does not have. */
export function moveFor(kind: ResourceKind, verb: Verb): Move {
  const moves: Readonly<Partial<Record<Verb, Move>>> = lives[kind];
  const move = moves[verb];
  if (!move) throw new Error(`a ${kind} has no verb ${verb}`);
  return move;
}

export const vmStates = [
  'provisioning',
  'running',
  'stopped',
  'suspended',
  'starting',
  'stopping',
  'rebooting',
  'suspending',
  'resuming',
  'resizing',
  'rebuilding',
  'deleting',
  'deleted',
  'error',
] as const;
/** Of what does not run. */
export const passiveStates = ['provisioning', 'available', 'deleting', 'deleted', 'error'] as const;
export const volumeStates = [
  'provisioning',
  'available',
  'attaching',
  'detaching',
  'growing',
  'restoring',
  'deleting',
  'deleted',
  'error',
] as const;
/** Ironic's, and `switching`: its power, boot device or media are being changed. */
export const bareMetalHostStates = [...hostStates, 'switching', 'deleted'] as const;
export const bucketStates = [
  'provisioning',
  'available',
  'creating-key',
  'revoking-key',
  'deleting',
  'deleted',
  'error',
] as const;
export const clusterStates = ['provisioning', 'available', 'scaling', 'deleting', 'deleted', 'error'] as const;
export type ResourceState =
  | (typeof vmStates)[number]
  | (typeof passiveStates)[number]
  | (typeof volumeStates)[number]
  | (typeof bucketStates)[number]
  | (typeof clusterStates)[number]
  | (typeof bareMetalHostStates)[number];

const statesOf = {
  vm: vmStates,
  network: passiveStates,
  volume: volumeStates,
  snapshot: passiveStates,
  bucket: bucketStates,
  'bare-metal-host': bareMetalHostStates,
  cluster: clusterStates,
} as const satisfies Record<ResourceKind, readonly ResourceState[]>;
/** The states in which a resource is in a list. */
export const listedStates = (kind: ResourceKind): readonly ResourceState[] =>
  statesOf[kind].filter((state) => state !== 'deleted');

/** A resource may be used by another (a network by a VM) while it is in one of these. */
export const usableStates: readonly ResourceState[] = ['available', 'running', 'stopped', 'suspended'];
