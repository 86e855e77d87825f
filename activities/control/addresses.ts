import { releaseAddresses } from '../../src/db/queries/address-claims.ts';
import { assignInNetworks } from '../../src/db/queries/vm-addresses.ts';
import type { ControlActivities } from '../types.ts';
import type { ControlDependencies } from './index.ts';
import { orRefused } from './refusal.ts';

const final: readonly string[] = ['capacity', 'conflict', 'invalid', 'not_found'];

export function addressActivities({
  database,
}: ControlDependencies): Pick<ControlActivities, 'assignAddresses' | 'releaseAddresses'> {
  return {
    assignAddresses: (addressed) =>
      orRefused(
        ({ code }) => final.includes(code),
        async () => ({ addresses: await assignInNetworks(database.sql, addressed) }),
      ),
    async releaseAddresses(owner) {
      await releaseAddresses(database.sql, owner);
      return {};
    },
  };
}
