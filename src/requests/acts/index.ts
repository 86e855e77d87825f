import type { Known, ViewOf } from '../../db/queries/resources.ts';
import type { ActRequest } from '../../domain/acts.ts';
import type { ResourceChange } from '../../domain/change.ts';
import type { ResourceKind } from '../../domain/kinds.ts';
import { MillwrightError } from '../../errors.ts';
import type { Catalog } from '../catalog.ts';
import { prepareHostAct } from './bare-metal-host.ts';
import { prepareBucketAct } from './bucket.ts';
import { prepareClusterAct } from './cluster.ts';
import { prepareVmAct } from './vm.ts';
import { prepareVolumeAct } from './volume.ts';

/** What an act is asked of, as it is now, and what else it may look up. */
export interface Acting<Kind extends ResourceKind> {
  readonly there: ViewOf[Kind];
  readonly catalog: Catalog;
  /** A resource of the project by name or id; `pointer` is where the request names it. Throws `invalid` where there is none. */
  readonly find: (kind: ResourceKind, reference: string, pointer: string) => Promise<Known>;
}

/** An act that only has to be accepted. */
export interface PreparedAct {
  /** What its workflow hands to the provider. */
  readonly spec: object;
  readonly change?: ResourceChange;
}

/** What is asked for is so already: there is nothing to do. */
export const nothingToDo = 'nothing-to-do';

/** Looks up what an act names, and works out what it changes. Throws `invalid` or `conflict`. */
export async function prepareAct(
  { type, body }: ActRequest,
  acting: { readonly there: ViewOf[ResourceKind] } & Omit<Acting<ResourceKind>, 'there'>,
): Promise<PreparedAct | typeof nothingToDo> {
  const { there } = acting;
  switch (there.kind) {
    case 'vm':
      return prepareVmAct({ type, body } as ActRequest, { ...acting, there });
    case 'volume':
      return await prepareVolumeAct({ type, body } as ActRequest, { ...acting, there });
    case 'bucket':
      return prepareBucketAct({ type, body } as ActRequest, { there });
    case 'bare-metal-host':
      return prepareHostAct({ type, body } as ActRequest, { ...acting, there });
    case 'cluster':
      return await prepareClusterAct({ type, body } as ActRequest, { ...acting, there });
    case 'network':
    case 'snapshot':
      throw new MillwrightError('internal', `A ${there.kind} has no ${type}.`);
  }
}
