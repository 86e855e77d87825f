import type { CleanRecord, HostInventory } from '../domain/bare-metal-host.ts';
import type { BootDevice, HealthState, PowerAction, PowerState } from '../domain/host-states.ts';
import type { CallContext } from './types.ts';

/** A host as its operator enrolled it. */
export interface HostTarget {
  /** The resource's id, fixed at enrolment. */
  readonly key: string;
  readonly name: string;
  /**
   * What is being done, fixed before the first call and the same at each repetition (a job's id): that a host was
   * deployed once is no reason not to do it for the next one that asks.
   */
  readonly operation: string;
  readonly bmc: Bmc;
}

/** Where a host's controller is. `credential` names a secret that the region's workers have, and nobody else. */
export interface Bmc {
  readonly address: string;
  /** Which of the controller's systems; may be left out where it has only one. */
  readonly systemId?: string | undefined;
  readonly credential: string;
}

/** A system that a controller has. */
export interface FoundHost {
  /** The provider's own id: what remains the same when the address changes. */
  readonly reference: string;
  readonly address: string;
  readonly systemId: string;
  readonly model: string | null;
  readonly serial: string | null;
  /** `null` where the controller does not say, as while it starts. */
  readonly power: PowerState | null;
}

interface HostHealth {
  readonly health: HealthState;
  readonly power: PowerState | null;
}

/** What is started on a host from an image at an address. */
export interface HostImage {
  readonly url: string;
  /**
   * How its end is known: `powered-off`, an installer that turns the host off when it is done, which is then started
   * from its disk; `booted`, an image that runs by itself and stays in.
   */
  readonly until: 'powered-off' | 'booted';
}

/**
 * Hosts of metal, by their controllers. Any call may be made again, at any time and several at once: it looks first
 * what is there, goes on from it, and returns when what was asked for has landed. It waits for as long as `call.signal`
 * lets it, tells by `call.progress` what for, and awaits `call.stillMine()` before each request that changes something.
 */
export interface BareMetalDriver {
  /** Its controller is reached, takes the credential, and has the system. Changes nothing. */
  verify(host: HostTarget, call: CallContext): Promise<FoundHost>;
  inspect(host: HostTarget, call: CallContext): Promise<HostInventory>;
  /** A reboot that is asked for again when it has landed is another one. */
  setPower(host: HostTarget, action: PowerAction, call: CallContext): Promise<PowerState>;
  setBootDevice(host: HostTarget, boot: BootDevice, call: CallContext): Promise<void>;
  /** Puts an image into the host's virtual drive, in place of what is in it. */
  insertMedia(host: HostTarget, url: string, call: CallContext): Promise<void>;
  ejectMedia(host: HostTarget, call: CallContext): Promise<void>;
  /** Wipes every disk, and says what was done: at least one step, or it throws. Leaves the host off. */
  clean(host: HostTarget, call: CallContext): Promise<CleanRecord>;
  /** Leaves the host running what was deployed. */
  deploy(host: HostTarget, image: HostImage, call: CallContext): Promise<void>;
  /** Leaves the host off, without media, to be started from its disk. Does not clean it. */
  undeploy(host: HostTarget, call: CallContext): Promise<void>;
  /** Runs an image beside what is on the disks. */
  rescue(host: HostTarget, url: string, call: CallContext): Promise<void>;
  /** Starts the host from its disk again. */
  unrescue(host: HostTarget, call: CallContext): Promise<void>;
  health(host: HostTarget, call: CallContext): Promise<HostHealth>;
  /** Every system at the addresses that this region's workers know. */
  list(call: CallContext): Promise<readonly FoundHost[]>;
}
