// Without zod: workflows import this file. Everyone else finds it all in bare-metal-host.ts.

/**
 * The life of a bare-metal host: OpenStack Ironic's provision states and verbs (ironic/common/states.py), in its
 * spelling.
 *
 * ```
 *   enroll ── manage ──▶ verifying ──▶ manageable ◀── manage ── available, inspect, clean and adopt failed
 *                                         │
 *      ┌───────────────┬──────────────────┼──────────────┐
 *      │ inspect       │ clean            │ provide      │ adopt
 *      ▼               ▼                  ▼              ▼
 *   inspecting      cleaning           cleaning       adopting
 *      │               │                  │              │
 *      ▼               ▼                  ▼              │
 *   manageable     manageable   ┌───▶ available          │
 *                               │         │ deploy       │
 *                               │         ▼              ▼
 *                      deleting ┘     deploying ───▶ active ◀── unrescuing ◀── unrescue ──┐
 *                         ▲               ▲           │ │ │                               │
 *                         │               └─ rebuild ─┘ │ └─ rescue ──▶ rescuing ──▶ rescue
 *                         └───── undeploy ──────────────┘
 *
 *   What fails ends: verifying in enroll, deleting in error, and the others in
 *   inspect failed, clean failed, adopt failed, deploy failed, rescue failed, unrescue failed.
 * ```
 *
 * Every arrow, with who owns it. The request that accepts the verb makes the first, the end of its job the second: done,
 * or after the bar failed, undone or aborted.
 *
 * ```
 *   manage    enroll, available, inspect failed, clean failed, adopt failed            ──▶ verifying    ──▶ manageable | enroll
 *   inspect   manageable, inspect failed                                               ──▶ inspecting   ──▶ manageable | inspect failed
 *   clean     manageable                                                               ──▶ cleaning     ──▶ manageable | clean failed
 *   provide   manageable                                                               ──▶ cleaning     ──▶ available | clean failed
 *   deploy    available, deploy failed                                                 ──▶ deploying    ──▶ active | deploy failed
 *   rebuild   active, deploy failed, error                                             ──▶ deploying    ──▶ active | deploy failed
 *   undeploy  active, deploy failed, error, rescue, rescue failed, unrescue failed     ──▶ deleting     ──▶ available | error
 *   rescue    active, rescue, rescue failed, unrescue failed                           ──▶ rescuing     ──▶ rescue | rescue failed
 *   unrescue  rescue, rescue failed, unrescue failed                                   ──▶ unrescuing   ──▶ active | unrescue failed
 *   adopt     manageable, adopt failed                                                 ──▶ adopting     ──▶ active | adopt failed
 * ```
 *
 * `abort` is the cancelation of the job of a state in `abortable`, which then ends as one that failed.
 *
 * It differs from Ironic in two things: `manage` verifies from every state, not from `enroll` alone; and `undeploy`
 * cleans while it is `deleting`, where Ironic goes on to `cleaning`, because a job moves its host once and not twice.
 */
export const hostStates = [
  'enroll',
  'verifying',
  'manageable',
  'inspecting',
  'inspect failed',
  'cleaning',
  'clean failed',
  'available',
  'deploying',
  'deploy failed',
  'active',
  'rescuing',
  'rescue failed',
  'rescue',
  'unrescuing',
  'unrescue failed',
  'deleting',
  'error',
  'adopting',
  'adopt failed',
] as const;
export type HostState = (typeof hostStates)[number];

/** Those that a job moves a host by. */
export const hostVerbs = [
  'manage',
  'inspect',
  'clean',
  'provide',
  'deploy',
  'rebuild',
  'undeploy',
  'rescue',
  'unrescue',
  'adopt',
] as const;
export type HostVerb = (typeof hostVerbs)[number];

/** What changes a host beside its provision state, which comes back when it is done. */
export const hostSwitches = [
  'power-on',
  'power-off',
  'reboot',
  'set-boot-device',
  'insert-media',
  'eject-media',
] as const;

/** Where a host rests and its controller is known to answer. */
export const switchable: readonly HostState[] = [
  'manageable',
  'inspect failed',
  'clean failed',
  'available',
  'deploy failed',
  'active',
  'rescue failed',
  'rescue',
  'unrescue failed',
  'error',
  'adopt failed',
];

/** A host may be given up where nobody's system runs on it. */
export const removable: readonly HostState[] = [
  'enroll',
  'manageable',
  'inspect failed',
  'clean failed',
  'available',
  'error',
  'adopt failed',
];

interface HostMove {
  readonly from: readonly HostState[];
  readonly during: HostState;
  readonly done: HostState;
  /** Where it ends when it failed, whether or not what it did was undone. */
  readonly failed: HostState;
  /** It wipes the host's disks and leaves a record of that. */
  readonly cleans: boolean;
}

export const hostMoves = {
  manage: {
    from: ['enroll', 'available', 'inspect failed', 'clean failed', 'adopt failed'],
    ...{ during: 'verifying', done: 'manageable', failed: 'enroll', cleans: false },
  },
  inspect: {
    from: ['manageable', 'inspect failed'],
    ...{ during: 'inspecting', done: 'manageable', failed: 'inspect failed', cleans: false },
  },
  clean: { from: ['manageable'], during: 'cleaning', done: 'manageable', failed: 'clean failed', cleans: true },
  provide: { from: ['manageable'], during: 'cleaning', done: 'available', failed: 'clean failed', cleans: true },
  deploy: {
    from: ['available', 'deploy failed'],
    ...{ during: 'deploying', done: 'active', failed: 'deploy failed', cleans: false },
  },
  rebuild: {
    from: ['active', 'deploy failed', 'error'],
    ...{ during: 'deploying', done: 'active', failed: 'deploy failed', cleans: false },
  },
  undeploy: {
    from: ['active', 'deploy failed', 'error', 'rescue', 'rescue failed', 'unrescue failed'],
    ...{ during: 'deleting', done: 'available', failed: 'error', cleans: true },
  },
  rescue: {
    from: ['active', 'rescue', 'rescue failed', 'unrescue failed'],
    ...{ during: 'rescuing', done: 'rescue', failed: 'rescue failed', cleans: false },
  },
  unrescue: {
    from: ['rescue', 'rescue failed', 'unrescue failed'],
    ...{ during: 'unrescuing', done: 'active', failed: 'unrescue failed', cleans: false },
  },
  adopt: {
    from: ['manageable', 'adopt failed'],
    ...{ during: 'adopting', done: 'active', failed: 'adopt failed', cleans: false },
  },
} as const satisfies Record<HostVerb, HostMove>;

/** Whose job may be aborted. */
export const abortable: readonly HostState[] = ['inspecting', 'cleaning', 'deploying', 'rescuing'];

/** What may be asked of a host's power. `off` asks its system to shut down, and takes the power where it does not. */
export const powerActions = ['on', 'off', 'force-off', 'reboot', 'force-reboot'] as const;
export type PowerAction = (typeof powerActions)[number];
export const powerStates = ['on', 'off'] as const;
export type PowerState = (typeof powerStates)[number];
/** As Redfish says it (DSP0266, Status.Health), and where a controller does not say. */
export const hostHealths = ['ok', 'warning', 'critical', 'unknown'] as const;
export type HealthState = (typeof hostHealths)[number];

export const bootDevices = ['pxe', 'disk', 'cd'] as const;
export interface BootDevice {
  readonly device: (typeof bootDevices)[number];
  /** `once`: at the next boot alone. */
  readonly persistence: 'once' | 'continuous';
}
