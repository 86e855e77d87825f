import type { Sql } from 'postgres';
import { type BatchOperation, durationSchema } from '../../batch/file.ts';
import { type JobKind, type There, usualSeconds } from '../../db/queries/plan.ts';
import type { PlanAction } from '../../domain/batch.ts';
import { isActType, isOperationType, type OperationType } from '../../domain/kinds.ts';
import type { EstimateBasis } from '../../domain/plan.ts';
import type { Catalog } from '../catalog.ts';

/** What of an operation says how long it takes; of one that is there already, where that is. */
export interface Estimated {
  readonly operation: Pick<BatchOperation, 'type' | 'region' | 'provider' | 'with'>;
  readonly action: PlanAction;
  readonly there: Pick<There, 'region' | 'provider'> | undefined;
}

/** Where no such job has succeeded yet. */
const defaultSeconds: Readonly<Record<OperationType, number>> = {
  'vm.create': 60,
  'vm.delete': 20,
  'network.create': 5,
  'network.delete': 5,
  'volume.create': 10,
  'volume.delete': 5,
  'cluster.create': 300,
  'cluster.delete': 60,
  'cluster.scale': 180,
  'vm.start': 10,
  'vm.stop': 10,
  'vm.reboot': 20,
  'vm.suspend': 10,
  'vm.resume': 10,
  'vm.resize': 30,
  'vm.rebuild': 60,
  'volume.attach': 5,
  'volume.detach': 5,
  'volume.grow': 10,
  'volume.restore': 30,
  'snapshot.create': 10,
  'snapshot.delete': 5,
  'bucket.create': 5,
  'bucket.delete': 10,
  'bucket.create-key': 5,
  'bucket.revoke-key': 5,
  'bare-metal-host.create': 1,
  'bare-metal-host.delete': 1,
  'bare-metal-host.manage': 10,
  'bare-metal-host.inspect': 30,
  'bare-metal-host.clean': 3600,
  'bare-metal-host.provide': 3600,
  'bare-metal-host.deploy': 1800,
  'bare-metal-host.rebuild': 1800,
  'bare-metal-host.undeploy': 3600,
  'bare-metal-host.rescue': 300,
  'bare-metal-host.unrescue': 300,
  'bare-metal-host.adopt': 10,
  'bare-metal-host.power-on': 60,
  'bare-metal-host.power-off': 60,
  'bare-metal-host.reboot': 120,
  'bare-metal-host.set-boot-device': 10,
  'bare-metal-host.insert-media': 30,
  'bare-metal-host.eject-media': 30,
};
const callSeconds = 5;

export interface Estimate {
  readonly seconds: number;
  readonly from: EstimateBasis;
}

/** How long each operation will take, in their order; by one query for each kind of job and place, not for each operation. */
export async function estimatesOf(
  sql: Sql,
  catalog: Catalog,
  planned: readonly Estimated[],
): Promise<readonly Estimate[]> {
  const kinds = new Map<string, JobKind>();
  const keys = planned.map((one) => {
    const kind = jobKindOf(catalog, one);
    if (!kind) return undefined;
    const key = `${kind.type} ${kind.region} ${kind.provider}`;
    kinds.set(key, kind);
    return key;
  });
  const seconds = await usualSeconds(sql, [...kinds.values()]);
  const usual = new Map([...kinds.keys()].map((key, at) => [key, seconds[at] ?? null]));
  return planned.map((one, at) => estimateOf(one, usual.get(keys[at] ?? '') ?? null));
}

/** The job that an operation will be, where it is one. */
function jobKindOf(catalog: Catalog, { operation, action, there }: Estimated): JobKind | undefined {
  if (action === 'none' || !isOperationType(operation.type)) return undefined;
  if (action === 'change' && !isActType(operation.type)) return undefined;
  const region = there?.region ?? operation.region;
  const [only] = catalog.regions.find(({ name }) => name === region)?.providers ?? [];
  const provider = there?.provider ?? operation.provider ?? only;
  return region && provider ? { type: operation.type, region, provider } : undefined;
}

function estimateOf({ operation, action }: Estimated, usual: number | null): Estimate {
  if (action === 'none' || (action === 'change' && !isActType(operation.type))) return { seconds: 0, from: 'none' };
  if (usual !== null) return { seconds: usual, from: 'past' };
  if (isOperationType(operation.type)) return { seconds: defaultSeconds[operation.type], from: 'default' };
  const { duration, time } = operation.with;
  switch (operation.type) {
    case 'http.request':
      return { seconds: callSeconds, from: 'default' };
    case 'wait.for':
      return { seconds: durationSchema.safeParse(duration).data ?? 0, from: 'file' };
    case 'wait.until':
      return { seconds: Math.max(0, (Date.parse(String(time)) - Date.now()) / 1000 || 0), from: 'file' };
    default:
      return { seconds: 0, from: 'none' };
  }
}
