import { z } from 'zod';

/** What an inspection found. What a controller does not tell is null, or missing from its list. */
export const inventorySchema = z
  .object({
    manufacturer: z.string().nullable(),
    model: z.string().nullable(),
    serial: z.string().nullable(),
    firmware: z.string().nullable().meta({ description: 'The version of its BIOS or UEFI.' }),
    cpus: z.int().min(0).nullable().meta({ description: 'Sockets.' }),
    cores: z.int().min(0).nullable(),
    memoryMib: z.int().min(0).nullable(),
    disks: z.array(
      z.object({
        name: z.string(),
        sizeBytes: z.int().min(0).nullable(),
        mediaType: z
          .string()
          .nullable()
          .meta({ examples: ['SSD'] }),
        serial: z.string().nullable(),
      }),
    ),
    nics: z.array(z.object({ name: z.string(), mac: z.string(), speedMbps: z.int().min(0).nullable() })),
    gpus: z.array(z.object({ name: z.string(), model: z.string().nullable() })),
  })
  .meta({ id: 'HostInventory' });
export type HostInventory = z.infer<typeof inventorySchema>;

/** One thing that was done to clean a host. */
const cleanedStepSchema = z.object({
  step: z.enum(['secure-erase', 'cleaning-image']),
  /** The drive that was erased, or the image that was run. */
  target: z.string(),
});

/** That a host was cleaned, and how. */
const cleanRecordSchema = z
  .object({ cleanedAt: z.iso.datetime(), steps: z.array(cleanedStepSchema).min(1) })
  .meta({ id: 'CleanRecord' });
export type CleanRecord = z.infer<typeof cleanRecordSchema>;
