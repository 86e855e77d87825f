import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { type MadeKind, madeKinds } from '../../domain/kinds.ts';
import type { Observation, ObservedPage, ObservedValue } from '../../domain/observation.ts';
import { stateOf } from './store.ts';
import { restStates } from './wire.ts';

interface Asked {
  readonly region: string;
  readonly kind: MadeKind;
  readonly after: string;
  readonly limit: number;
}
/** One page of what there is, by its keys. */
export type Observe = (asked: Asked) => ObservedPage;

const list = z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text)).toSorted());
const rowSchema = z.object({
  kind: z.enum(madeKinds),
  key: z.string(),
  name: z.string(),
  reference: z.string(),
  vcpus: z.int(),
  memory_mib: z.int(),
  size_gib: z.int(),
  disk_gib: z.int(),
  cidr: z.string().nullable(),
  ready_at: z.int(),
  gone_at: z.int().nullable(),
  rest_state: z.enum(restStates).nullable(),
  changing_until: z.int().nullable(),
  networks: list,
  addresses: list,
  /** Of a volume, the VM that has it. */
  vm: z.string().nullable(),
  /** Of a snapshot, what it was taken of. */
  volume: z.string().nullable(),
  access_keys: list,
});
type Row = z.infer<typeof rowSchema>;

/** What each kind has beside its row. A join for what most rows have none of would cost each of them. */
const besides = {
  vm: `(SELECT json_group_array(n.key) FROM addresses a JOIN resources n ON n.id = a.network_id WHERE a.vm_id = r.id) AS networks,
    (SELECT json_group_array(address) FROM addresses WHERE vm_id = r.id) AS addresses,
    NULL AS vm, NULL AS volume, '[]' AS access_keys`,
  volume: `'[]' AS networks, '[]' AS addresses,
    (SELECT v.key FROM attachments a JOIN resources v ON v.id = a.vm_id WHERE a.volume_id = r.id) AS vm,
    NULL AS volume, '[]' AS access_keys`,
  snapshot: `'[]' AS networks, '[]' AS addresses, NULL AS vm,
    (SELECT v.key FROM resources v WHERE v.id = r.volume_id) AS volume, '[]' AS access_keys`,
  bucket: `'[]' AS networks, '[]' AS addresses, NULL AS vm, NULL AS volume,
    (SELECT json_group_array(access_key) FROM bucket_keys WHERE bucket_id = r.id) AS access_keys`,
  network: `'[]' AS networks, '[]' AS addresses, NULL AS vm, NULL AS volume, '[]' AS access_keys`,
} as const satisfies Record<MadeKind, string>;

/** What the provider shows to who only looks. */
export function openObserver(database: DatabaseSync): Observe {
  const statements = Object.fromEntries(
    madeKinds.map((kind) => [
      kind,
      database.prepare(`SELECT r.*, ${besides[kind]} FROM resources r
        WHERE region = ? AND kind = '${kind}' AND key > ? AND (gone_at IS NULL OR gone_at > ?) ORDER BY key LIMIT ?`),
    ]),
  );
  return ({ region, kind, after, limit }) => {
    const now = Date.now();
    const rows = z.array(rowSchema).parse(statements[kind]?.all(region, after, now, limit + 1));
    return { observations: rows.slice(0, limit).map((row) => shown(row, now)), more: rows.length > limit };
  };
}

const shown = (row: Row, now: number): Observation => ({
  key: row.key,
  name: row.name,
  fields: { state: stateOf(row, now), reference: row.reference, ...fieldsOf(row) },
});

function fieldsOf(row: Row): Record<string, ObservedValue> {
  switch (row.kind) {
    case 'vm': {
      const { vcpus, networks, addresses } = row;
      return { vcpus, memoryMib: row.memory_mib, diskGib: row.disk_gib, networks, addresses };
    }
    case 'volume':
      return { sizeGib: row.size_gib, vm: row.vm };
    case 'snapshot':
      return { sizeGib: row.size_gib, volume: row.volume };
    case 'network':
      return { cidr: row.cidr };
    case 'bucket':
      return { accessKeys: row.access_keys };
    default:
      return row.kind satisfies never;
  }
}
