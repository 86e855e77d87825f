import type { Sql } from 'postgres';
import { audited } from '../db/queries/audit.ts';
import { sealedKubeconfig } from '../db/queries/cluster-work.ts';
import type { Cluster } from '../domain/cluster.ts';
import { MillwrightError } from '../errors.ts';
import type { Sealer } from '../secrets/sealer.ts';
import { placeOfKubeconfig } from '../secrets/specs.ts';
import { type ActingPlace, type Actor, inPlace } from './acting.ts';

/** The kubeconfig in clear, on record first. Throws `conflict` where the cluster has none yet. */
export async function openKubeconfig(
  sql: Sql,
  sealer: Sealer,
  actor: Actor,
  place: ActingPlace,
  { id, name, status }: Cluster,
): Promise<string> {
  const sealed = await sealedKubeconfig(sql, id);
  if (sealed === null)
    throw new MillwrightError(
      'conflict',
      `The cluster "${name}" is ${status} and has no kubeconfig yet. Wait for its job, then ask again.`,
    );
  const act = { ...inPlace(actor, place), action: 'cluster.kubeconfig', resource: { kind: 'cluster', id, name } };
  await audited(sql, act, async () => undefined);
  return await sealer.unseal(sealed, placeOfKubeconfig(id));
}
