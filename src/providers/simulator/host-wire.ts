import { z } from 'zod';
import { inventorySchema } from '../../domain/bare-metal-host.ts';
import { nameSchema } from '../../domain/common.ts';
import { bootDevices, powerActions } from '../../domain/host-states.ts';

/** What may be done to a simulated host. */
export const hostActions = ['power', 'boot', 'media', 'clean', 'deploy', 'undeploy', 'rescue', 'unrescue'] as const;
type HostAction = (typeof hostActions)[number];
export type HostOperation = `bare-metal-host.${HostAction | 'get' | 'list'}`;
export const hostOperations: readonly HostOperation[] = [...hostActions, 'get' as const, 'list' as const].map(
  (action) => `bare-metal-host.${action}` as const,
);

const url = z.url().max(2048);
const bootSchema = z.object({ device: z.enum(bootDevices), persistence: z.enum(['once', 'continuous']) });

/** What is asked of a host. */
const wishSchema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('power'), to: z.enum(powerActions) }),
  z.strictObject({ action: z.literal('boot'), boot: bootSchema }),
  z.strictObject({ action: z.literal('media'), url: url.nullable() }),
  z.strictObject({ action: z.literal('clean') }),
  z.strictObject({ action: z.literal('deploy'), url, until: z.enum(['powered-off', 'booted']) }),
  z.strictObject({ action: z.literal('undeploy') }),
  z.strictObject({ action: z.literal('rescue'), url }),
  z.strictObject({ action: z.literal('unrescue') }),
]);
export type HostWish = z.infer<typeof wishSchema>;

/** `operation` is the same whenever the same is asked again, and what it asks for is then not done again. */
export const hostRequestSchema = z.strictObject({ operation: z.string().min(1).max(128), wish: wishSchema });
export type HostRequest = z.infer<typeof hostRequestSchema>;

/** A rack of like hosts, put into a region from outside: no driver makes metal. */
export const rackSchema = z
  .strictObject({
    region: nameSchema,
    rack: nameSchema,
    count: z.int().min(1).max(500),
    /** Of the controller, where there is but one; else they are the rack's name with the unit. */
    address: nameSchema.optional(),
    /** Which of the region workers' credentials its controllers take. */
    credential: nameSchema.default('simulated'),
    cpus: z.int().min(1).max(16).default(2),
    memoryMib: z.int().min(1024).default(262_144),
    disks: z.int().min(1).max(64).default(2),
    gpus: z.int().min(0).max(16).default(0),
  })
  .refine(({ count, address }) => address === undefined || count === 1, 'Expected one host for one address');
export type Rack = z.infer<typeof rackSchema>;

/** A host as the simulator keeps it, and tells of it. */
export const hostSchema = z.object({
  region: z.string(),
  address: z.string(),
  systemId: z.string(),
  credential: z.string(),
  rack: z.string(),
  unit: z.int(),
  reference: z.string(),
  inventory: inventorySchema,
  health: z.enum(['ok', 'warning', 'critical']),
  power: z.enum(['on', 'off']),
  boot: bootSchema,
  media: z.string().nullable(),
  /** What each disk holds: `used` as it came, `empty`, or the image that was written to it. */
  contents: z.array(z.string()),
  /** What is being done to it, as a driver shows it. */
  busy: z.string().nullable(),
});
export type SimulatedHost = z.infer<typeof hostSchema>;
