import { z } from 'zod';
import { nameSchema } from '../../domain/common.ts';
import { isMadeActType, type MadeActType, type MadeKind, madeKinds, operationTypes } from '../../domain/kinds.ts';
import { cidrSchema } from '../../domain/network.ts';
import { errorCodes } from '../../errors.ts';
import { type ClusterOperation, clusterOperations } from './cluster-wire.ts';
import { type HostOperation, hostOperations } from './host-wire.ts';

/** What the simulator and its driver say to each other. */
const actions = ['create', 'get', 'list', 'observe', 'delete'] as const;
type Action = (typeof actions)[number];

/** What a fault, a latency and a call in the log are named by. */
export type Operation = `${MadeKind}.${Action}` | MadeActType | HostOperation | ClusterOperation | 'vm.console';
export const operations: readonly Operation[] = [
  ...madeKinds.flatMap((kind) => actions.map((action) => `${kind}.${action}` as const)),
  ...operationTypes.filter(isMadeActType),
  ...hostOperations,
  'vm.console',
  ...clusterOperations,
];

/** What a caller knows its resource by. No `%`, `?` or `#`, so that a path holds it in one spelling alone. */
const keySchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/,
    'Expected 1 to 128 letters, digits, ".", "_", ":", "/" or "-", starting with a letter or a digit',
  );
const keysSchema = z
  .array(keySchema)
  .max(64)
  .refine((keys) => new Set(keys).size === keys.length, 'Expected each key once');

/** A network that a VM joins: its key, or its key and the address to have there. */
const joinedSchema = z.union([keySchema, z.strictObject({ key: keySchema, address: z.union([z.ipv4(), z.ipv6()]) })]);
const joinedKey = (joined: z.infer<typeof joinedSchema>): string => (typeof joined === 'string' ? joined : joined.key);

const common = { key: keySchema, name: nameSchema };

/** The body of a create: the spec of the kind, its key, and the networks and volumes of a VM as keys. */
export const createSchemas = {
  vm: z.strictObject({
    ...common,
    vcpus: z.int().min(1).max(256),
    memoryMib: z.int().min(128).max(4_194_304),
    diskGib: z.int().min(1).max(65_536),
    image: nameSchema,
    sshKeys: z.array(z.string().max(16_384)).max(64).default([]),
    userData: z.string().max(65_536).default(''),
    networks: z
      .array(joinedSchema)
      .max(64)
      .refine((all) => new Set(all.map(joinedKey)).size === all.length, 'Expected each network once')
      .default([]),
    volumes: keysSchema.default([]),
    gpus: z.int().min(0).max(64).optional(),
    /** The machine that it is to run on; the provider's own choice where it is left out. */
    host: nameSchema.optional(),
  }),
  network: z.strictObject({ ...common, cidr: cidrSchema }),
  volume: z.strictObject({ ...common, sizeGib: z.int().min(1).max(65_536) }),
  snapshot: z.strictObject({ ...common, volume: keySchema }),
  bucket: z.strictObject(common),
} as const satisfies Record<MadeKind, z.ZodType>;

export type CreateBody<Kind extends MadeKind> = z.infer<(typeof createSchemas)[Kind]>;
export type CreateRequest = {
  [Kind in MadeKind]: { readonly kind: Kind; readonly body: CreateBody<Kind> };
}[MadeKind];

const nothing = z.strictObject({});
/** Given again, it says that what is asked for was asked before. */
const token = z.string().min(1).max(128);

const accessKey = z.string().regex(/^[A-Z0-9]{20}$/, 'Expected 20 capitals and digits');

/** The body of an act: `POST /<plural>/<key>/<verb>`. */
export const actSchemas = {
  'vm.start': nothing,
  'vm.stop': nothing,
  'vm.suspend': nothing,
  'vm.resume': nothing,
  'vm.reboot': z.strictObject({ token }),
  'vm.resize': z.strictObject({
    vcpus: z.int().min(1).max(256),
    memoryMib: z.int().min(128).max(4_194_304),
    diskGib: z.int().min(1).max(65_536),
  }),
  'vm.rebuild': z.strictObject({
    token,
    image: nameSchema,
    sshKeys: z.array(z.string().max(16_384)).max(64).default([]),
    userData: z.string().max(65_536).default(''),
  }),
  'volume.attach': z.strictObject({ vm: keySchema }),
  'volume.detach': z.strictObject({ vm: keySchema }),
  'volume.grow': z.strictObject({ sizeGib: z.int().min(1).max(65_536) }),
  'volume.restore': z.strictObject({ snapshot: keySchema, token }),
  'bucket.create-key': z.strictObject({ accessKey, secret: z.string().min(32).max(128) }),
  'bucket.revoke-key': z.strictObject({ accessKey }),
} as const satisfies Record<MadeActType, z.ZodType>;
export type ActRequest = {
  [Type in MadeActType]: { readonly type: Type; readonly body: z.infer<(typeof actSchemas)[Type]> };
}[MadeActType];

/** The states in which a resource rests once it has been asked to. `changing` is on the way from one to another. */
export const restStates = ['running', 'stopped', 'suspended', 'available'] as const;

/** The state in which a kind is ready for use; before it, `building`; after it, `deleting`. */
export const readyState = {
  vm: 'running',
  network: 'available',
  volume: 'available',
  snapshot: 'available',
  bucket: 'available',
} as const satisfies Record<MadeKind, string>;

export const providedSchema = z.object({
  reference: z.string(),
  key: z.string(),
  name: z.string(),
  region: z.string(),
  state: z.enum(['building', ...restStates, 'changing', 'deleting']),
});
/** The addresses are in the order of the networks that were asked for. */
export const providedVmSchema = providedSchema.extend({
  addresses: z.array(z.object({ network: z.object({ key: z.string(), name: z.string() }), address: z.string() })),
});
/** Nothing is served at its endpoint: the simulator only pretends to hold objects. */
export const providedBucketSchema = providedSchema.extend({ endpoint: z.string() });
export type ProvidedAnswer =
  | z.infer<typeof providedSchema>
  | z.infer<typeof providedVmSchema>
  | z.infer<typeof providedBucketSchema>;

/** One page of all that there is of a kind, by its keys: `GET /observations/<plural>?after=`. */
export const observedPageSchema = z.object({
  observations: z.array(
    z.object({
      key: z.string(),
      name: z.string(),
      fields: z.record(z.string(), z.union([z.string(), z.number(), z.null(), z.array(z.string())])),
    }),
  ),
  more: z.boolean(),
});
export const observeQuery = z.strictObject({
  after: z.string().max(128).default(''),
  limit: z.coerce.number().int().min(1).max(1000),
});

/** How a bucket is deleted: with what it holds, or not at all where it holds anything. */
export const deleteQuery = z.strictObject({ force: z.literal('true').optional() });

/** What the bucket of that name holds from now on. */
export const objectsSchema = z.strictObject({ region: nameSchema, bucket: nameSchema, objects: z.int().min(0) });

/** The last lines of a VM's console, the oldest first: `GET /vms/<key>/console?lines=`. */
export const consoleSchema = z.object({ lines: z.array(z.string()) });
export const consoleQuery = z.strictObject({ lines: z.coerce.number().int().min(1).max(5000) });

/** Every answer that is not a success. `faults` names all that is wrong with the request, at once. */
export const refusalSchema = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  faults: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});
