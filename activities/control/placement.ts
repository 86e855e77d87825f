import { freeClaim, resizeClaim } from '../../src/db/queries/placement-claims.ts';
import { type ErrorInfo, MillwrightError, toErrorInfo } from '../../src/errors.ts';
import { Hosts } from '../../src/placement/hosts.ts';
import { place } from '../../src/placement/place.ts';
import type { ControlActivities } from '../types.ts';
import type { ControlDependencies } from './index.ts';

/** Refusals that asking again would not change; they come back as values, and all else is tried again. */
const final: readonly string[] = ['capacity', 'conflict'];

async function unlessFinal<Result>(perform: () => Promise<Result>): Promise<Result | { readonly refused: ErrorInfo }> {
  try {
    return await perform();
  } catch (error) {
    if (error instanceof MillwrightError && final.includes(error.code)) return { refused: toErrorInfo(error) };
    throw error;
  }
}

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
