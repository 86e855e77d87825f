import type { DatabaseSync } from 'node:sqlite';
import { MillwrightError } from '../../errors.ts';
import type { Capacity } from './settings.ts';

/** What a resource takes of its region. */
export type Demand = { readonly [Measure in keyof Capacity]-?: number };

const units = { vms: 'VMs', vcpus: 'vCPUs', memoryMib: 'MiB of memory', volumeGib: 'GiB of volumes' } as const;
const measures = ['vms', 'vcpus', 'memoryMib', 'volumeGib'] as const;

/** Refuses what a region has no room for. What is being deleted counts until it is gone. */
export function openCapacity(database: DatabaseSync) {
  const sum = database.prepare(`
    SELECT count(*) FILTER (WHERE kind = 'vm') AS vms, coalesce(sum(vcpus), 0) AS vcpus,
           coalesce(sum(memory_mib), 0) AS memoryMib, coalesce(sum(size_gib), 0) AS volumeGib
    FROM resources WHERE region = ?`);

  return (region: string, capacity: Capacity, demand: Demand): void => {
    if (Object.keys(capacity).length === 0) return;
    const used = sum.get(region);
    const lacking = measures.flatMap((measure) => {
      const limit = capacity[measure];
      const free = Math.max(0, (limit ?? Number.POSITIVE_INFINITY) - Number(used?.[measure]));
      if (demand[measure] <= free) return [];
      return [`${demand[measure]} ${units[measure]} wanted, ${free} of ${limit} free`];
    });
    if (lacking.length === 0) return;
    throw new MillwrightError(
      'capacity',
      `The region "${region}" lacks capacity: ${lacking.join('; ')}. Delete something there, or use another region.`,
    );
  };
}
