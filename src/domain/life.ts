import type { ResourceKind, Verb } from './kinds.ts';

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
 * For networks and volumes the resting state is `available`. A `deleted` row stays for its jobs' sake; no list
 * and no request sees it, and its name is free.
 */
interface Move {
  /** `[]`: the verb begins a life. */
  readonly from: readonly string[];
  readonly during: string;
  readonly done: string;
  readonly undone: string;
  readonly failed: string;
}

const life = <Rest extends string>(rest: Rest) =>
  ({
    create: { from: [], during: 'provisioning', done: rest, undone: 'deleted', failed: 'error' },
    delete: { from: [rest, 'error'], during: 'deleting', done: 'deleted', undone: 'error', failed: 'error' },
  }) as const satisfies Record<Verb, Move>;

export const lives = {
  vm: life('running'),
  network: life('available'),
  volume: life('available'),
} as const satisfies Record<ResourceKind, Record<Verb, Move>>;

export const vmStates = ['provisioning', 'running', 'deleting', 'deleted', 'error'] as const;
/** Of what does not run: networks and volumes. */
export const passiveStates = ['provisioning', 'available', 'deleting', 'deleted', 'error'] as const;
export type ResourceState = (typeof vmStates)[number] | (typeof passiveStates)[number];

const statesOf = { vm: vmStates, network: passiveStates, volume: passiveStates } as const satisfies Record<
  ResourceKind,
  readonly ResourceState[]
>;
/** The states in which a resource is in a list. */
export const listedStates = (kind: ResourceKind): readonly ResourceState[] =>
  statesOf[kind].filter((state) => state !== 'deleted');

/** A resource may be used by another (a network by a VM) while it is in one of these. */
export const usableStates: readonly ResourceState[] = ['available', 'running'];
