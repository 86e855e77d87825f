import { z } from 'zod';
import type { HostInventory } from '../../domain/bare-metal-host.ts';
import type { Client } from './client.ts';
import { maybe, type System, text } from './system.ts';

const storageSchema = z.object({ Drives: maybe(z.array(z.object({ '@odata.id': z.string() }))) });
const driveSchema = z.object({
  Id: z.string(),
  Name: text,
  CapacityBytes: maybe(z.int().min(0)),
  MediaType: text,
  SerialNumber: text,
  Actions: maybe(z.object({ '#Drive.SecureErase': maybe(z.object({ target: z.string() })) })),
});
export type Drive = z.infer<typeof driveSchema>;
const nicSchema = z.object({
  Id: z.string(),
  MACAddress: text,
  PermanentMACAddress: text,
  SpeedMbps: maybe(z.int().min(0)),
});
const processorSchema = z.object({ Id: z.string(), ProcessorType: text, Model: text });

/** Every drive behind every controller of the system's storage. */
export async function drivesOf(client: Client, system: System): Promise<Drive[]> {
  const storages = z.array(storageSchema).parse(await client.members(system.Storage));
  const drives: unknown[] = [];
  for (const { '@odata.id': path } of storages.flatMap(({ Drives }) => Drives ?? [])) {
    drives.push((await client.get(path)).json);
  }
  return z.array(driveSchema).parse(drives);
}

export async function inventoryOf(client: Client, system: System): Promise<HostInventory> {
  const drives = await drivesOf(client, system);
  const nics = z.array(nicSchema).parse(await client.members(system.EthernetInterfaces));
  const processors = z.array(processorSchema).parse(await client.members(system.Processors));
  const memoryGib = system.MemorySummary?.TotalSystemMemoryGiB ?? null;
  return {
    manufacturer: system.Manufacturer,
    model: system.Model,
    serial: system.SerialNumber,
    firmware: system.BiosVersion,
    cpus: system.ProcessorSummary?.Count ?? null,
    cores: system.ProcessorSummary?.CoreCount ?? null,
    memoryMib: memoryGib === null ? null : Math.round(memoryGib * 1024),
    disks: drives.map(({ Id, Name, CapacityBytes, MediaType, SerialNumber }) => ({
      name: Name ?? Id,
      sizeBytes: CapacityBytes,
      mediaType: MediaType,
      serial: SerialNumber,
    })),
    nics: nics.flatMap(({ Id, MACAddress, PermanentMACAddress, SpeedMbps }) => {
      const mac = (PermanentMACAddress ?? MACAddress)?.toLowerCase();
      return mac ? [{ name: Id, mac, speedMbps: SpeedMbps }] : [];
    }),
    gpus: processors
      .filter(({ ProcessorType: type }) => type === 'GPU')
      .map(({ Id, Model }) => ({ name: Id, model: Model })),
  };
}
