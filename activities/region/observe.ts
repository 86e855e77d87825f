import type { MadeKind } from '../../src/domain/kinds.ts';
import { type ObservedPage, observedAtOnce } from '../../src/domain/observation.ts';
import { ProviderError } from '../../src/errors.ts';
import type { CallContext } from '../../src/providers/types.ts';
import type { RegionActivities, RegionCall } from '../types.ts';
import type { Drivers } from './index.ts';

export function observeActivities(
  driver: Drivers,
  contextOf: (call: RegionCall) => CallContext,
): Pick<RegionActivities, 'observePage'> {
  return {
    observePage: async (call, kind, after) => {
      const { observer, manifest } = driver(call.provider);
      if (!observer?.kinds.includes(kind)) return null;
      const page = await observer.observe(kind, after, contextOf(call));
      refuseUnlessInOrder(manifest.name, kind, after, page);
      return page;
    },
  };
}

/** What is not on its page counts as missing: a page that skips or repeats keys would be believed for nothing. */
export function refuseUnlessInOrder(driver: string, kind: MadeKind, after: string, page: ObservedPage): void {
  const keys = page.observations.map(({ key }) => key);
  const wrong =
    keys.length > observedAtOnce
      ? `holds ${keys.length}, where ${observedAtOnce} were asked for at most`
      : page.more && keys.length === 0
        ? 'is empty and says that there is more'
        : keys.some((key, index) => !isBefore(keys[index - 1] ?? after, key)) && 'is not in the order of the keys';
  if (!wrong) return;
  throw new ProviderError('permanent', 'internal', `A page of ${kind} from the driver "${driver}" ${wrong}.`);
}

/** As bytes, which is how every side has to order. */
const isBefore = (one: string, other: string): boolean => Buffer.compare(Buffer.from(one), Buffer.from(other)) < 0;
