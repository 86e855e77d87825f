import { z } from 'zod';
import { groupsOf, machineRoles, machinesIn, type NewMachine } from './cluster-machines.ts';
import { createFields, idSchema, nameSchema, referenceSchema, resourceFields, sshKeysSchema } from './common.ts';
import { clusterStates } from './life.ts';

/** The minor versions that clusters are made of, oldest first. */
const kubernetesVersions = ['1.31', '1.32', '1.33', '1.34'] as const;
const cnis = ['cilium', 'calico', 'flannel'] as const;
const serviceMeshes = ['none', 'istio', 'linkerd'] as const;
const plugins = ['csi', 'ingress-nginx', 'metrics-server', 'cert-manager', 'gpu-operator'] as const;
/** The jobs of a cluster's machines are in the history of one workflow. */
export const maxNodes = 500;
export const maxPools = 20;

interface Counted {
  readonly count: number;
}
export const nodesIn = ({ controlPlane, pools }: { controlPlane: Counted; pools: readonly Counted[] }): number =>
  [controlPlane, ...pools].reduce((sum, { count }) => sum + count, 0);

/** Odd, so that a majority of etcd's members can be told. */
export const controlPlaneCountSchema = z.union([z.literal(1), z.literal(3), z.literal(5)]);
export const poolNameSchema = nameSchema
  .max(20)
  .refine((name) => name !== 'cp' && name !== 'bastion', 'Expected another name than cp and bastion');
export const poolCountSchema = z.int().min(0).max(100);
const poolSchema = z.strictObject({
  name: poolNameSchema,
  count: poolCountSchema,
  flavor: nameSchema,
  labels: createFields.labels,
});

/** How many machines of which kind a cluster is asked to have. */
export const shapeSchema = z.object({
  controlPlane: z.object({ count: controlPlaneCountSchema, flavor: nameSchema }),
  pools: z.array(poolSchema),
});
export type ClusterShape = z.infer<typeof shapeSchema>;

/** The body of a create request, and what an operation `cluster.create` of a batch file holds under `with`. */
export const clusterCreateSchema = z
  .strictObject({
    ...createFields,
    name: createFields.name.refine(
      (name) => name.length <= 36,
      'Expected at most 36 characters: the names of its machines begin with it',
    ),
    version: z.enum(kubernetesVersions).meta({ description: 'The minor version of Kubernetes.' }),
    image: nameSchema.meta({ description: 'What every machine boots.', examples: ['debian-13'] }),
    controlPlane: z.strictObject({
      count: controlPlaneCountSchema
        .default(3)
        .meta({ description: 'Odd, so that a majority of etcd’s members can be told.' }),
      flavor: nameSchema,
    }),
    pools: z
      .array(poolSchema)
      .max(maxPools)
      .default([])
      .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'Expected each pool once'),
    networks: z
      .array(referenceSchema)
      .max(16)
      .default([])
      .refine((all) => new Set(all).size === all.length, 'Expected each network once')
      .meta({ description: 'Networks that every machine joins.' }),
    sshKeys: sshKeysSchema,
    cni: z.enum(cnis).default('cilium'),
    serviceMesh: z.enum(serviceMeshes).default('none'),
    bastion: z.strictObject({ flavor: nameSchema }).optional(),
    plugins: z
      .array(z.enum(plugins))
      .default([])
      .refine((all) => new Set(all).size === all.length, 'Expected each plugin once'),
  })
  .refine((shape) => nodesIn(shape) <= maxNodes, {
    path: ['pools'],
    message: `Expected at most ${maxNodes} nodes in all`,
  })
  .meta({ id: 'ClusterCreate' });
export type ClusterCreate = z.infer<typeof clusterCreateSchema>;

const machineSchema = z.object({
  name: nameSchema,
  role: z.enum(machineRoles),
  pool: nameSchema.nullable(),
  vm: idSchema.nullable().meta({ description: 'The VM that it is; null until it has been accepted.' }),
  vmStatus: z.string().nullable(),
  node: z
    .string()
    .nullable()
    .meta({ description: 'How its node stands; null of a bastion, and before it has joined.' }),
  version: z.string().nullable(),
});

export const clusterSchema = z
  .object({
    ...resourceFields,
    kind: z.literal('cluster'),
    status: z.enum(clusterStates),
    version: z.string(),
    image: nameSchema,
    cni: z.enum(cnis),
    serviceMesh: z.enum(serviceMeshes),
    plugins: z.array(z.enum(plugins)),
    endpoint: z.string().nullable().meta({ description: 'Where its API server is.' }),
    networks: z.array(z.object({ id: idSchema, name: nameSchema })),
    machines: z.array(machineSchema),
  })
  .meta({ id: 'Cluster' });
export type Cluster = z.infer<typeof clusterSchema>;

export const kubeconfigSchema = z.object({ kubeconfig: z.string() }).meta({ id: 'Kubeconfig' });

/** The machines of a cluster as it is asked for. */
export function machinesOf({ name, bastion, ...shape }: ClusterCreate): NewMachine[] {
  const single = bastion && { role: 'bastion' as const, pool: null, flavor: bastion.flavor, labels: {}, ordinals: [0] };
  return machinesIn(name, [...groupsOf(shape), ...(single ? [single] : [])]);
}
