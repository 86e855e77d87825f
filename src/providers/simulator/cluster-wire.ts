import { z } from 'zod';
import { nameSchema } from '../../domain/common.ts';

const clusterActions = ['bootstrap', 'get', 'list', 'delete', 'join', 'drain'] as const;
export type ClusterOperation = `cluster.${(typeof clusterActions)[number]}`;
export const clusterOperations: readonly ClusterOperation[] = clusterActions.map(
  (action) => `cluster.${action}` as const,
);

export const nodeSchema = z.object({
  name: nameSchema,
  key: z.string().min(1).max(128),
  role: z.enum(['control-plane', 'worker']),
});

export type Node = z.infer<typeof nodeSchema>;
/** As `kubectl get nodes` says it. */
const nodeStatuses = ['NotReady', 'Ready', 'Ready,SchedulingDisabled'] as const;

/** What a cluster is made of: VMs that are there, by their keys. */
export const bootstrapSchema = z.strictObject({
  key: z.string().min(1).max(128),
  name: nameSchema,
  version: z.string().min(1).max(16),
  cni: nameSchema,
  serviceMesh: nameSchema,
  plugins: z.array(nameSchema).max(64),
  nodes: z.array(nodeSchema).min(1).max(2500),
});
export type Bootstrap = z.infer<typeof bootstrapSchema>;

export const simulatedClusterSchema = z.object({
  region: z.string(),
  key: z.string(),
  name: z.string(),
  reference: z.string(),
  version: z.string(),
  endpoint: z.string(),
  state: z.enum(['building', 'ready', 'deleting']),
  nodes: z.array(nodeSchema.extend({ version: z.string(), status: z.enum(nodeStatuses) })),
  kubeconfig: z.string(),
});
export type SimulatedCluster = z.infer<typeof simulatedClusterSchema>;
