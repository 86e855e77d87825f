import { z } from 'zod';
import { createFields, idSchema, nameSchema, referenceSchema, resourceFields, sshKeysSchema } from './common.ts';
import { passiveStates } from './life.ts';

/** The minor versions that clusters are made of, oldest first. */
const kubernetesVersions = ['1.31', '1.32', '1.33', '1.34'] as const;
const cnis = ['cilium', 'calico', 'flannel'] as const;
const serviceMeshes = ['none', 'istio', 'linkerd'] as const;
const plugins = ['csi', 'ingress-nginx', 'metrics-server', 'cert-manager', 'gpu-operator'] as const;
/** The jobs of a cluster's machines are in the history of one workflow. */
const maxNodes = 500;
export const machineRoles = ['control-plane', 'worker', 'bastion'] as const;
type MachineRole = (typeof machineRoles)[number];
/** Of a machine that becomes a node. */
export type NodeRole = Exclude<MachineRole, 'bastion'>;

interface Counted {
  readonly count: number;
}
const nodesOf = (controlPlane: Counted, pools: readonly Counted[]): number =>
  [controlPlane, ...pools].reduce((sum, { count }) => sum + count, 0);

const labels = createFields.labels;
const poolSchema = z.strictObject({
  name: nameSchema
    .max(20)
    .refine((name) => name !== 'cp' && name !== 'bastion', 'Expected another name than cp and bastion'),
  count: z.int().min(0).max(100),
  flavor: nameSchema,
  labels,
});

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
      count: z
        .union([z.literal(1), z.literal(3), z.literal(5)])
        .default(3)
        .meta({ description: 'Odd, so that a majority of etcd’s members can be told.' }),
      flavor: nameSchema,
    }),
    pools: z
      .array(poolSchema)
      .max(20)
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
  .refine(({ controlPlane, pools }) => nodesOf(controlPlane, pools) <= maxNodes, {
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
    status: z.enum(passiveStates),
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

interface NewMachine {
  readonly name: string;
  readonly role: MachineRole;
  readonly pool: string | null;
  readonly ordinal: number;
  readonly flavor: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The machines of a cluster as it is asked for: `<cluster>-cp-0`, `<cluster>-<pool>-0`, `<cluster>-bastion-0`. */
export function machinesOf({ name, controlPlane, pools, bastion }: ClusterCreate): NewMachine[] {
  const several = (count: number, part: string, rest: Omit<NewMachine, 'name' | 'ordinal'>): NewMachine[] =>
    Array.from({ length: count }, (_, ordinal) => ({ name: `${name}-${part}-${ordinal}`, ordinal, ...rest }));
  return [
    ...several(controlPlane.count, 'cp', {
      role: 'control-plane',
      pool: null,
      flavor: controlPlane.flavor,
      labels: {},
    }),
    ...pools.flatMap((pool) =>
      several(pool.count, pool.name, { role: 'worker', pool: pool.name, flavor: pool.flavor, labels: pool.labels }),
    ),
    ...(bastion ? several(1, 'bastion', { role: 'bastion', pool: null, flavor: bastion.flavor, labels: {} }) : []),
  ];
}
