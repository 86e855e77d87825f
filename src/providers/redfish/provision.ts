import type { CleanRecord } from '../../domain/bare-metal-host.ts';
import { ProviderError } from '../../errors.ts';
import type { HostImage } from '../bare-metal.ts';
import type { CallContext } from '../types.ts';
import { type Client, pause } from './client.ts';
import { drivesOf } from './inventory.ts';
import { ejectMedia, insertMedia, mediaIn, setBootDevice } from './media.ts';
import { setPower } from './power.ts';
import { powerOf, readSystem, type System } from './system.ts';

export interface Machine {
  readonly client: Client;
  readonly system: System;
  readonly landingMs: number;
}

const endPauseMs = 2000;

/**
 * Starts the host from an image. One that runs from it already is left to run: an attempt that was cut off goes on. One
 * that is off is started, and if an earlier attempt saw the end of the image and could not tell, it runs once more.
 */
async function startFrom(machine: Machine, url: string, call: CallContext): Promise<void> {
  const { client, system } = machine;
  const now = await readSystem(client, system['@odata.id']);
  if (powerOf(now) === 'on' && (await mediaIn(client, system)) === url) return;
  await setPower(machine, 'force-off', call);
  await insertMedia(client, system, url, call);
  await setBootDevice(client, system, { device: 'cd', persistence: 'once' }, call);
  await setPower(machine, 'on', call);
}

/** Waits for as long as the caller does: how long an image runs, nobody here knows. */
async function untilOff({ client, system }: Machine, what: string, call: CallContext): Promise<void> {
  const startedAt = performance.now();
  while (powerOf(await readSystem(client, system['@odata.id'])) !== 'off') {
    call.progress(`${what}, ${Math.floor((performance.now() - startedAt) / 1000)} s`);
    await pause(endPauseMs, call);
  }
}

async function untilBooted({ client, system }: Machine, call: CallContext): Promise<void> {
  for (;;) {
    const { BootProgress: progress } = await readSystem(client, system['@odata.id']);
    if (progress === null) {
      const message = `The controller ${client.host} does not tell how far a start has come (BootProgress). Use an image that turns the host off when it is done.`;
      throw new ProviderError('permanent', 'precondition', message);
    }
    if (progress.LastState === 'OSRunning') return;
    call.progress(`booting: ${progress.LastState ?? 'not begun'}`);
    await pause(endPauseMs, call);
  }
}

export async function deploy(machine: Machine, { url, until }: HostImage, call: CallContext): Promise<void> {
  await startFrom(machine, url, call);
  if (until === 'booted') return untilBooted(machine, call);
  await untilOff(machine, 'installing', call);
  return startFromDisk(machine, call);
}

/** Without media, from its disk from now on. One that is on without media was started so. */
export async function startFromDisk(machine: Machine, call: CallContext): Promise<void> {
  const { client, system } = machine;
  const isOn = powerOf(await readSystem(client, system['@odata.id'])) === 'on';
  if (isOn && (await mediaIn(client, system)) === undefined) return;
  await setPower(machine, 'force-off', call);
  await rest(machine, call);
  await setPower(machine, 'on', call);
}

async function rest({ client, system }: Machine, call: CallContext): Promise<void> {
  await ejectMedia(client, system, call);
  await setBootDevice(client, system, { device: 'disk', persistence: 'continuous' }, call);
}

export async function undeploy(machine: Machine, call: CallContext): Promise<void> {
  await setPower(machine, 'force-off', call);
  await rest(machine, call);
}

export async function rescue(machine: Machine, url: string, call: CallContext): Promise<void> {
  await startFrom(machine, url, call);
}

/**
 * Erases each drive by itself where it can, then runs the cleaning image. Without one, and with a drive that cannot erase
 * itself or none that is known, it refuses before it touches anything: it could not say afterwards that all is wiped.
 */
export async function clean(machine: Machine, image: string | undefined, call: CallContext): Promise<CleanRecord> {
  const { client, system } = machine;
  const drives = await drivesOf(client, system);
  const erasable = drives.flatMap((drive) => {
    const target = drive.Actions?.['#Drive.SecureErase']?.target;
    return target ? [{ name: drive.Name ?? drive.Id, target }] : [];
  });
  if (image === undefined && (drives.length === 0 || erasable.length < drives.length)) {
    const message = `The controller ${client.host} cannot erase every disk of ${system.Id} (${erasable.length} of ${drives.length}). Set MILLWRIGHT_REDFISH_CLEANING_IMAGE to an image that does.`;
    throw new ProviderError('permanent', 'precondition', message);
  }
  const isCleaning = image !== undefined && (await mediaIn(client, system)) === image;
  if (!isCleaning) {
    await setPower(machine, 'force-off', call);
    for (const { name, target } of erasable) {
      call.progress(`erasing ${name}`);
      await client.post(target, {});
    }
  }
  if (image !== undefined) {
    await startFrom(machine, image, call);
    await untilOff(machine, 'cleaning', call);
    await rest(machine, call);
  }
  return {
    cleanedAt: new Date().toISOString(),
    steps: [
      ...erasable.map(({ name }) => ({ step: 'secure-erase' as const, target: name })),
      ...(image === undefined ? [] : [{ step: 'cleaning-image' as const, target: image }]),
    ],
  };
}
