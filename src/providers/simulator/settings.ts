import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { nameSchema } from '../../domain/common.ts';
import { operationTypes } from '../../domain/kinds.ts';
import { inTransaction } from './database.ts';
import { hostActions } from './host-wire.ts';

const limit = z.int().min(0);

/** How much a region holds. What is not given is without limit. */
const capacitySchema = z.strictObject({ vms: limit, vcpus: limit, memoryMib: limit, volumeGib: limit }).partial();
export type Capacity = z.infer<typeof capacitySchema>;

/** How long creates, deletes, acts and what is done to hosts take; what is not given is done at once. */
const latencySchema = z.partialRecord(
  z.enum([
    ...operationTypes,
    'cluster.bootstrap',
    'cluster.join',
    'cluster.drain',
    ...hostActions.map((action) => `bare-metal-host.${action}` as const),
  ]),
  z.int().min(0).max(86_400_000),
);
export type Latency = z.infer<typeof latencySchema>;

const partSchemas = { latencyMs: latencySchema, capacity: z.record(nameSchema, capacitySchema) };
const settingsSchema = z.strictObject(partSchemas);
type SimulatorSettings = z.infer<typeof settingsSchema>;

export const settingsPatchSchema = settingsSchema.partial();
type SettingsPatch = z.infer<typeof settingsPatchSchema>;

export interface SettingsStore {
  get(): SimulatorSettings;
  /** Replaces the parts that are given, each as a whole. */
  put(patch: SettingsPatch): SimulatorSettings;
  capacityOf(region: string): Capacity;
}

/** `initialLatency` is for a new file alone: what was set before a restart holds after it. */
export function openSettings(database: DatabaseSync, initialLatency: Latency): SettingsStore {
  const rows = database.prepare('SELECT part, value FROM settings').all();
  const write = database.prepare('INSERT OR REPLACE INTO settings (part, value) VALUES (?, ?)');
  const stored = rows.map(({ part, value }) => [String(part), JSON.parse(String(value))] as const);
  let current = settingsSchema.parse({ latencyMs: initialLatency, capacity: {}, ...Object.fromEntries(stored) });

  return {
    get: () => current,
    put: (patch) => {
      inTransaction(database, () => {
        for (const [part, value] of Object.entries(patch)) write.run(part, JSON.stringify(value));
      });
      current = { latencyMs: patch.latencyMs ?? current.latencyMs, capacity: patch.capacity ?? current.capacity };
      return current;
    },
    // A region may be called "constructor", which every object has.
    capacityOf: (region) => (Object.hasOwn(current.capacity, region) ? (current.capacity[region] ?? {}) : {}),
  };
}
