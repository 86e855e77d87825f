import { z } from 'zod';
import {
  hostBootSchema,
  hostDeploySchema,
  hostMediaSchema,
  hostRebuildSchema,
  hostRescueSchema,
} from './bare-metal-host.ts';
import { bucketKeyCreateSchema, bucketKeyRevokeSchema } from './bucket.ts';
import { clusterScaleSchema } from './cluster-scale.ts';
import { jobFields } from './common.ts';
import type { ActType, operationTypes } from './kinds.ts';
import { vmRebuildSchema, vmResizeSchema } from './vm.ts';
import { volumeAttachSchema, volumeGrowSchema, volumeRestoreSchema } from './volume.ts';

/** The body of an act that asks for nothing but itself. */
const plainSchema = z.strictObject(jobFields).meta({ id: 'Act' });

/** The body of each act's request; what an operation of a batch holds under `with`, beside the resource's `name`. */
export const actSchemas = {
  'vm.start': plainSchema,
  'vm.stop': plainSchema,
  'vm.reboot': plainSchema,
  'vm.suspend': plainSchema,
  'vm.resume': plainSchema,
  'vm.resize': vmResizeSchema,
  'vm.rebuild': vmRebuildSchema,
  'volume.attach': volumeAttachSchema,
  'volume.detach': plainSchema,
  'volume.grow': volumeGrowSchema,
  'volume.restore': volumeRestoreSchema,
  'bucket.create-key': bucketKeyCreateSchema,
  'bucket.revoke-key': bucketKeyRevokeSchema,
  'cluster.scale': clusterScaleSchema,
  'bare-metal-host.manage': plainSchema,
  'bare-metal-host.inspect': plainSchema,
  'bare-metal-host.clean': plainSchema,
  'bare-metal-host.provide': plainSchema,
  'bare-metal-host.deploy': hostDeploySchema,
  'bare-metal-host.rebuild': hostRebuildSchema,
  'bare-metal-host.undeploy': plainSchema,
  'bare-metal-host.rescue': hostRescueSchema,
  'bare-metal-host.unrescue': plainSchema,
  'bare-metal-host.adopt': plainSchema,
  'bare-metal-host.power-on': plainSchema,
  'bare-metal-host.power-off': plainSchema,
  'bare-metal-host.reboot': plainSchema,
  'bare-metal-host.set-boot-device': hostBootSchema,
  'bare-metal-host.insert-media': hostMediaSchema,
  'bare-metal-host.eject-media': plainSchema,
} as const satisfies Record<ActType, z.ZodObject>;

export type ActBody<Type extends ActType> = z.infer<(typeof actSchemas)[Type]>;

/** An act as it is asked for. */
export type ActRequest = { readonly [Type in ActType]: { readonly type: Type; readonly body: ActBody<Type> } }[ActType];

/** What each act does, for contracts and help. */
export const actTitles: Readonly<Record<ActType, string>> = {
  'vm.start': 'Start a VM',
  'vm.stop': 'Stop a VM',
  'vm.reboot': 'Reboot a VM',
  'vm.suspend': 'Suspend a VM',
  'vm.resume': 'Resume a VM',
  'vm.resize': 'Resize a VM',
  'vm.rebuild': 'Rebuild a VM',
  'volume.attach': 'Attach a volume to a VM',
  'volume.detach': 'Detach a volume from its VM',
  'volume.grow': 'Grow a volume',
  'volume.restore': 'Bring a volume back from a snapshot',
  'bucket.create-key': 'Make an access key of a bucket',
  'bucket.revoke-key': 'Revoke an access key of a bucket',
  'cluster.scale': 'Give a cluster more machines, or fewer',
  'bare-metal-host.manage': 'Reach the controller of a bare-metal host, and so manage it',
  'bare-metal-host.inspect': 'Take the inventory of a bare-metal host',
  'bare-metal-host.clean': 'Wipe a bare-metal host',
  'bare-metal-host.provide': 'Wipe a bare-metal host, and make it available',
  'bare-metal-host.deploy': 'Deploy an image on a bare-metal host',
  'bare-metal-host.rebuild': 'Deploy an image again on a bare-metal host',
  'bare-metal-host.undeploy': 'Take down what runs on a bare-metal host, wipe it, and make it available',
  'bare-metal-host.rescue': 'Start a rescue image on a bare-metal host',
  'bare-metal-host.unrescue': 'Start a bare-metal host from its disk again',
  'bare-metal-host.adopt': 'Take over a bare-metal host with what runs on it',
  'bare-metal-host.power-on': 'Turn on a bare-metal host',
  'bare-metal-host.power-off': 'Turn off a bare-metal host',
  'bare-metal-host.reboot': 'Reboot a bare-metal host',
  'bare-metal-host.set-boot-device': 'Choose what starts a bare-metal host',
  'bare-metal-host.insert-media': 'Put an image into the virtual drive of a bare-metal host',
  'bare-metal-host.eject-media': 'Empty the virtual drive of a bare-metal host',
};

/** What it did cannot be taken back: where it fails it is held, and a batch does not undo it. */
const irreversible: ReadonlySet<string> = new Set<ActType>([
  'vm.reboot',
  'vm.rebuild',
  'volume.grow',
  'volume.restore',
  'bucket.revoke-key',
]);

/** What a machine of a cluster is, its cluster alone says: nobody else may ask these of one. */
export const changesMachine = (type: ActType): boolean => type === 'vm.resize' || type === 'vm.rebuild';

/** A host is there before and after, and says itself how it stands: what fails on it ends so, unless somebody wants it held. */
export const endsAsItIs = (type: string): boolean => type.startsWith('bare-metal-host.');
export const isReversible = (type: (typeof operationTypes)[number]): boolean =>
  !type.endsWith('.delete') && !irreversible.has(type) && !endsAsItIs(type);
