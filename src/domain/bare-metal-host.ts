import { z } from 'zod';
import { createFields, jobFields, nameSchema, resourceFields, timeSchema } from './common.ts';
import { bootDevices, hostHealths, powerStates } from './host-states.ts';
import { bareMetalHostStates } from './life.ts';

const bmcFields = {
  bmcAddress: z
    .string()
    .min(1)
    .max(253)
    .regex(/^[^\s@?#]+$/, 'Expected an address like 10.20.0.5 or https://bmc-1.example.org')
    .meta({ description: 'Where its controller (BMC) is.', examples: ['10.20.0.5'] }),
  bmcCredential: nameSchema.meta({
    description: 'A credential that the region’s workers have under this name; never the credential itself.',
    examples: ['rack-a'],
  }),
};
const systemId = z.string().min(1).max(128);
const gpus = z.int().min(0).max(64);
const imageUrl = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .meta({
    description: 'An image that the controller can fetch.',
    examples: ['https://images.example.org/installer.iso'],
  });
const until = z.enum(['powered-off', 'booted']).meta({
  description:
    'How its end is known. `powered-off`: it installs and turns the host off, which is then started from its disk. `booted`: it runs by itself.',
});

/** Enrols a host that is there. */
export const bareMetalHostCreateSchema = z
  .strictObject({
    ...createFields,
    ...bmcFields,
    bmcSystemId: systemId.optional().meta({ description: 'Which of the controller’s systems, where it has several.' }),
    gpus: gpus.default(0).meta({ description: 'How many it counts for in the quota.' }),
  })
  .meta({ id: 'BareMetalHostCreate' });
export type BareMetalHostCreate = z.infer<typeof bareMetalHostCreateSchema>;

export const hostDeploySchema = z
  .strictObject({ ...jobFields, imageUrl, until: until.default('powered-off') })
  .meta({ id: 'HostDeploy' });
export const hostRebuildSchema = z
  .strictObject({ ...jobFields, imageUrl: imageUrl.optional(), until: until.optional() })
  .meta({ id: 'HostRebuild', description: 'The image again that it was deployed from, where none is named.' });
export const hostRescueSchema = z.strictObject({ ...jobFields, imageUrl }).meta({ id: 'HostRescue' });
export const hostMediaSchema = z.strictObject({ ...jobFields, imageUrl }).meta({ id: 'HostMedia' });
export const hostBootSchema = z
  .strictObject({
    ...jobFields,
    device: z.enum(bootDevices),
    persistence: z.enum(['once', 'continuous']).default('once'),
  })
  .meta({ id: 'HostBootDevice' });

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

export const bareMetalHostSchema = z
  .object({
    ...resourceFields,
    kind: z.literal('bare-metal-host'),
    status: z.enum(bareMetalHostStates),
    bmcAddress: z.string(),
    bmcSystemId: systemId.nullable(),
    bmcCredential: nameSchema,
    gpus,
    power: z.enum(powerStates).nullable().meta({ description: 'As it was last seen.' }),
    health: z
      .enum(hostHealths)
      .nullable()
      .meta({ description: 'As its controller said at the last inspection or verification.' }),
    inventory: inventorySchema.nullable(),
    image: z.object({ url: z.string(), until }).nullable().meta({ description: 'What it was deployed from.' }),
    cleanedAt: timeSchema
      .nullable()
      .meta({ description: 'When its disks were last wiped, if nothing was deployed since.' }),
    cleanedBy: z.array(cleanedStepSchema),
    maintenance: z.string().nullable().meta({ description: 'Why nothing is to be deployed on it.' }),
    repair: z.string().nullable().meta({ description: 'What of it is broken.' }),
  })
  .meta({ id: 'BareMetalHost' });
export type BareMetalHost = z.infer<typeof bareMetalHostSchema>;
