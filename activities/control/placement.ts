import { freeClaim, resizeClaim } from '../../src/db/queries/placement-claims.ts';
import { MillwrightError } from '../../src/errors.ts';
import { Hosts } from '../../src/placement/hosts.ts';
import { place } from '../../src/placement/place.ts';
import type { ControlActivities } from '../types.ts';
import type { ControlDependencies } from './index.ts';
import { orRefused } from './refusal.ts';

const unlessFinal = <Result>(perform: () => Promise<Result>) =>
  orRefused(({ code }) => code === 'capacity' || code === 'conflict', perform);

export function placementActivities({
  database: { sql },
}: ControlDependencies): Pick<ControlActivities, 'placeVm' | 'unplaceVm' | 'resizePlacement'> {
  const hosts = new Hosts(sql);
  return {
    placeVm: ({ jobId, ...demand }) =>
      unlessFinal(async () => ({ host: (await place(sql, hosts, { key: demand.key, jobId }, demand)).name })),
    async unplaceVm(key) {
      await freeClaim(sql, key);
      return {};
    },
    resizePlacement: ({ jobId, key, size }) =>
      unlessFinal(async () => {
        const short = await resizeClaim(sql, { key, jobId }, size);
        if (short === 'gone') throw new MillwrightError('conflict', `Job ${jobId} is no longer at work on ${key}.`);
        if (!short) return {};
        throw new MillwrightError(
          'capacity',
          `Its host "${short.host}" has no room for that: ${short.free.vcpus} vCPUs, ${short.free.memoryMib} MiB of memory and ${short.free.diskGib} GiB of disk are free there. Take a smaller size, or make a new VM, which may come to stand on another host.`,
        );
      }),
  };
}
