import { z } from 'zod';
import type { BootDevice } from '../../domain/host-states.ts';
import { ProviderError } from '../../errors.ts';
import type { CallContext } from '../types.ts';
import type { Client } from './client.ts';
import { land } from './land.ts';
import { maybe, readSystem, type System, text } from './system.ts';

const landingMs = 60_000;

const action = maybe(z.object({ target: z.string() }));
const slotSchema = z.object({
  '@odata.id': z.string(),
  MediaTypes: maybe(z.array(z.string())),
  Image: text,
  Inserted: maybe(z.boolean()),
  Actions: maybe(z.object({ '#VirtualMedia.InsertMedia': action, '#VirtualMedia.EjectMedia': action })),
});
type Slot = z.infer<typeof slotSchema>;

/** Not every controller says `Inserted`. */
const imageIn = ({ Image: image, Inserted: inserted }: Slot): string | null => (inserted === false ? null : image);

/** The virtual drives that take a CD: of the system or, with older controllers, of its managers. */
async function slots(client: Client, system: System): Promise<Slot[]> {
  const managers = (system.Links?.ManagedBy ?? []).map((manager) => manager['@odata.id']);
  const all = system.VirtualMedia ? await client.members(system.VirtualMedia) : [];
  for (const manager of all.length > 0 ? [] : managers) {
    const { VirtualMedia: media } = managerSchema.parse((await client.get(manager)).json);
    all.push(...(await client.members(media?.['@odata.id'])));
  }
  const discs = z
    .array(slotSchema)
    .parse(all)
    .filter(({ MediaTypes: types }) => types?.some((type) => /^(CD|DVD)$/.test(type)));
  if (discs.length > 0) return discs;
  throw new ProviderError('permanent', 'precondition', `The controller ${client.host} has no virtual drive for a CD.`);
}
const managerSchema = z.object({ VirtualMedia: maybe(z.object({ '@odata.id': z.string() })) });

/** The address of what is in one of the drives. */
export async function mediaIn(client: Client, system: System): Promise<string | undefined> {
  return (await slots(client, system)).map(imageIn).find((image) => image !== null) ?? undefined;
}

export async function insertMedia(client: Client, system: System, url: string, call: CallContext): Promise<void> {
  if ((await slots(client, system)).some((slot) => imageIn(slot) === url)) return;
  // Of two images a host would start from either.
  await ejectMedia(client, system, call);
  const insert = async () => {
    const [slot] = await slots(client, system);
    if (slot) await put(client, slot, url);
  };
  await land(
    {
      what: `Medium ${url}`,
      look: () => slots(client, system),
      isThere: (now) => now.some((slot) => imageIn(slot) === url),
      asks: [insert, insert],
      landingMs,
    },
    call,
  );
}

async function put(client: Client, slot: Slot, url: string): Promise<void> {
  const target = slot.Actions?.['#VirtualMedia.InsertMedia']?.target;
  if (!target) return client.patch(slot['@odata.id'], { Image: url, Inserted: true });
  try {
    await client.post(target, { Image: url, Inserted: true, WriteProtected: true });
  } catch (error) {
    // Some know no parameter but the image.
    if (!(error instanceof ProviderError) || error.code !== 'invalid') throw error;
    await client.post(target, { Image: url });
  }
}

export async function ejectMedia(client: Client, system: System, call: CallContext): Promise<void> {
  const eject = async () => {
    for (const slot of (await slots(client, system)).filter((candidate) => imageIn(candidate) !== null)) {
      const target = slot.Actions?.['#VirtualMedia.EjectMedia']?.target;
      await (target ? client.post(target, {}) : client.patch(slot['@odata.id'], { Image: null, Inserted: false }));
    }
  };
  await land(
    {
      what: 'No medium',
      look: () => slots(client, system),
      isThere: (now) => now.every((slot) => imageIn(slot) === null),
      asks: [eject, eject],
      landingMs,
    },
    call,
  );
}

/** What each device is called, the usual name first. */
const targets = { pxe: ['Pxe', 'UefiHttp'], disk: ['Hdd'], cd: ['Cd', 'UsbCd'] } as const;

export async function setBootDevice(
  client: Client,
  system: System,
  { device, persistence }: BootDevice,
  call: CallContext,
): Promise<void> {
  const allowed = system.Boot?.['BootSourceOverrideTarget@Redfish.AllowableValues'];
  const target = targets[device].find((candidate) => allowed?.includes(candidate) ?? true);
  if (!target) {
    const message = `The controller ${client.host} lets ${system.Id} start from ${allowed?.join(', ')}, and not from ${device}.`;
    throw new ProviderError('permanent', 'precondition', message);
  }
  const enabled = persistence === 'once' ? 'Once' : 'Continuous';
  const path = system['@odata.id'];
  const set = () =>
    client.patch(path, { Boot: { BootSourceOverrideTarget: target, BootSourceOverrideEnabled: enabled } });
  await land(
    {
      what: `Start from ${device}`,
      look: async () => (await readSystem(client, path)).Boot,
      // Not every controller tells for how long.
      isThere: (now, asked) =>
        now?.BootSourceOverrideTarget === target && (asked || now.BootSourceOverrideEnabled === enabled),
      asks: [set, set],
      landingMs,
    },
    call,
  );
}
