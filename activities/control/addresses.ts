import { releaseAddresses } from '../../src/db/queries/address-claims.ts';
import { assignInNetworks } from '../../src/db/queries/vm-addresses.ts';
import { MillwrightError, toErrorInfo } from '../../src/errors.ts';
import type { ControlActivities } from '../types.ts';
import type { ControlDependencies } from './index.ts';

/** Refusals that asking again would not change; they come back as values, and all else is tried again. */
const final: readonly string[] = ['capacity', 'conflict', 'invalid', 'not_found'];

export function addressActivities({
  database,
}: ControlDependencies): Pick<ControlActivities, 'assignAddresses' | 'releaseAddresses'> {
  return {
    async assignAddresses(addressed) {
      try {
        return { addresses: await assignInNetworks(database.sql, addressed) };
      } catch (error) {
        if (error instanceof MillwrightError && final.includes(error.code)) return { refused: toErrorInfo(error) };
        throw error;
      }
    },
    async releaseAddresses(owner) {
      await releaseAddresses(database.sql, owner);
      return {};
    },
  };
}
