import type { Sql } from 'postgres';
import type { MadeKind } from '../../domain/kinds.ts';
import { usableStates } from '../../domain/life.ts';
import type { Finding, Observation, Scope } from '../../domain/observation.ts';

/** A page of what a provider shows, and the keys that it speaks for: after the one, up to the other, or to the end. */
export interface PageSeen extends Scope {
  readonly kind: MadeKind;
  readonly after: string;
  /** Null: all that come after. */
  readonly upTo: string | null;
  readonly observations: readonly Observation[];
  /** By the database's clock, before anything was looked at. */
  readonly startedAt: string;
}

export interface PageCompared {
  readonly wanted: number;
  readonly found: number;
  readonly findings: readonly Finding[];
}

const sorted = (list: string): string => `coalesce((${list}), '[]'::jsonb)`;
const networksOfVm = sorted(`SELECT jsonb_agg(u.used_id::text ORDER BY u.used_id) FROM resource_uses u
  JOIN resources n ON n.id = u.used_id AND n.kind = 'network' WHERE u.user_id = r.id`);
const addressesOfVm = sorted(`SELECT jsonb_agg(a ->> 'address' ORDER BY a ->> 'address' COLLATE "C")
  FROM jsonb_array_elements(t.addresses) a`);
const vmOfVolume = `(SELECT u.user_id::text FROM resource_uses u JOIN resources v ON v.id = u.user_id AND v.kind = 'vm'
  WHERE u.used_id = r.id AND u.exclusive)`;
const volumeOfSnapshot = `(SELECT u.used_id::text FROM resource_uses u WHERE u.user_id = r.id)`;
const keysOfBucket = sorted(`SELECT jsonb_agg(k.access_key ORDER BY k.access_key COLLATE "C")
  FROM bucket_keys k WHERE k.bucket_id = r.id`);

/** The fields of each kind, as its driver has to name them. What a driver leaves out is not compared. */
const fieldsOf = {
  vm: {
    table: 'vms',
    fields: `'vcpus', t.vcpus, 'memoryMib', t.memory_mib, 'diskGib', t.disk_gib, 'networks', ${networksOfVm}, 'addresses', ${addressesOfVm}`,
  },
  network: { table: 'networks', fields: `'cidr', t.cidr` },
  volume: { table: 'volumes', fields: `'sizeGib', t.size_gib, 'vm', ${vmOfVolume}` },
  snapshot: { table: 'snapshots', fields: `'sizeGib', t.size_gib, 'volume', ${volumeOfSnapshot}` },
  bucket: { table: 'buckets', fields: `'accessKeys', ${keysOfBucket}` },
} as const satisfies Record<MadeKind, { readonly table: string; readonly fields: string }>;

const isUuid = `'^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'`;
const restingStates = usableStates.map((state) => `'${state}'`).join(', ');

/**
 * Only what rests is compared: no job holds it, and nothing has changed it since before anybody looked. What is in
 * `error` may be there or not, so that it is neither missing nor changed, and no orphan.
 */
const statement = (kind: MadeKind): string => `
  WITH page AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($7::text::jsonb) AS p(key text, name text, fields jsonb)
  ),
  own AS MATERIALIZED (
    SELECT r.id, r.id::text AS key, r.name, r.current_job_id IS NULL AND r.updated_at < $8::timestamptz AS still,
      r.status IN (${restingStates}) AS rests,
      jsonb_build_object('state', r.status, 'reference', r.provider_reference, ${fieldsOf[kind].fields}) AS wanted
    FROM resources r JOIN ${fieldsOf[kind].table} t ON t.resource_id = r.id
    WHERE r.region = $1 AND r.provider = $2 AND r.kind = '${kind}' AND r.deleted_at IS NULL
      AND r.id BETWEEN $3::uuid AND $4::uuid
      AND r.id::text COLLATE "C" > $5 AND ($6::text IS NULL OR r.id::text COLLATE "C" <= $6)
  ),
  missing AS (
    SELECT 'missing' AS class, o.key, o.name, o.id, '' AS field, NULL::jsonb AS wanted, NULL::jsonb AS found
    FROM own o WHERE o.still AND o.rests AND NOT EXISTS (SELECT FROM page p WHERE p.key = o.key)
  ),
  changed AS (
    SELECT 'changed', o.key, o.name, o.id, w.key, w.value, p.fields -> w.key
    FROM own o JOIN page p ON p.key = o.key, jsonb_each(o.wanted) w
    WHERE o.still AND o.rests AND p.fields ? w.key AND p.fields -> w.key IS DISTINCT FROM w.value
      AND (w.key <> 'reference' OR w.value <> 'null'::jsonb)
  ),
  orphaned AS (
    SELECT 'orphaned', p.key, p.name, x.id, '', NULL::jsonb, p.fields -> 'state'
    FROM page p LEFT JOIN resources x ON x.id = CASE WHEN p.key ~ ${isUuid} THEN p.key::uuid END
    WHERE NOT EXISTS (SELECT FROM own o WHERE o.key = p.key)
      AND (x.id IS NULL OR (x.current_job_id IS NULL AND x.updated_at < $8::timestamptz))
  )
  SELECT f.class, f.key, f.name, f.id AS "resourceId", f.field, f.wanted, f.found,
    n.wanted AS "wantedCount", n.found AS "foundCount"
  FROM (SELECT (SELECT count(*)::int FROM own WHERE still AND rests) AS wanted, (SELECT count(*)::int FROM page) AS found) n
  LEFT JOIN (SELECT * FROM missing UNION ALL SELECT * FROM changed UNION ALL SELECT * FROM orphaned) f ON true`;

/** Compares a page with what should be there. Only reads. */
export async function comparePage(sql: Sql, seen: PageSeen): Promise<PageCompared> {
  const { region, provider, kind, after, upTo, observations, startedAt } = seen;
  type Row = Omit<Finding, 'class' | 'kind'> & {
    readonly class: Finding['class'] | null;
    readonly wantedCount: number;
    readonly foundCount: number;
  };
  const rows = await sql.unsafe<Row[]>(
    statement(kind),
    [region, provider, lowestId(after), highestId(upTo), after, upTo, JSON.stringify(observations), startedAt],
    { prepare: true },
  );
  const findings = rows.flatMap(({ class: what, wantedCount: _, foundCount: __, ...row }) =>
    what === null ? [] : [{ ...row, class: what, kind }],
  );
  return { wanted: rows[0]?.wantedCount ?? 0, found: rows[0]?.foundCount ?? 0, findings };
}

const shape = 'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx';

/** An index of ids knows nothing of other texts: no id after this text is before the one that is given here. */
export const lowestId = (text: string): string => filled(text, '0');
/** No id up to this text is after the one that is given here. */
export const highestId = (text: string | null): string => filled(text ?? '', 'f');

/** As much of a text as an id may begin with, and the rest of an id. */
function filled(text: string, rest: '0' | 'f'): string {
  let length = 0;
  while (length < shape.length && (shape[length] === 'x' ? /[0-9a-f]/ : /-/).test(text[length] ?? '')) length += 1;
  return text.slice(0, length) + shape.slice(length).replaceAll('x', rest);
}
