import { createHash, randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { type MadeKind, madeKinds } from '../../domain/kinds.ts';
import { MillwrightError } from '../../errors.ts';
import { openActs } from './acts.ts';
import { openAttachments } from './attachments.ts';
import { type Demand, openCapacity } from './capacity.ts';
import { openConsole } from './console.ts';
import { inTransaction } from './database.ts';
import type { SettingsStore } from './settings.ts';
import { type ActRequest, type CreateRequest, type ProvidedAnswer, readyState, restStates } from './wire.ts';

/** A resource at rest. Its state is not stored: the clock tells it at every read, so that no timer is lost by a kill. */
const rowSchema = z.object({
  id: z.int(),
  region: z.string(),
  kind: z.enum(madeKinds),
  key: z.string(),
  name: z.string(),
  reference: z.string(),
  digest: z.string(),
  ready_at: z.int(),
  gone_at: z.int().nullable(),
  objects: z.int(),
  host: z.string().nullable(),
  rest_state: z.enum(restStates).nullable(),
  changing_until: z.int().nullable(),
});
type Row = z.infer<typeof rowSchema>;
type Timed = Pick<Row, 'kind' | 'ready_at' | 'gone_at' | 'rest_state' | 'changing_until'>;

interface Place {
  readonly region: string;
  readonly kind: MadeKind;
  readonly key: string;
}

interface InventoryEntry extends Place {
  readonly name: string;
  /** Of a VM, the machine that it was to run on. */
  readonly host?: string;
  readonly state: ProvidedAnswer['state'];
  /** Of a bucket, its access keys. */
  readonly keys?: readonly string[];
}

export interface Store {
  /** A key that is there already with the same body gives what is there. Throws `conflict`, `capacity`, `precondition`. */
  create(region: string, request: CreateRequest): { readonly isNew: boolean; readonly resource: ProvidedAnswer };
  find(place: Place): ProvidedAnswer | undefined;
  list(region: string, kind: MadeKind): ProvidedAnswer[];
  /** Gives what is on its way out; `undefined` where it is gone. Throws `not_found`, and `conflict` for what is in use; `force` takes what a bucket holds with it. */
  remove(place: Place, force?: boolean): ProvidedAnswer | undefined;
  /** Has the bucket of that name hold so many objects; whether there is one. */
  fill(region: string, bucket: string, objects: number): boolean;
  /** The last lines that a VM wrote; undefined where there is none. */
  console(region: string, key: string, lines: number): readonly string[] | undefined;
  /** Throws `not_found` for what is not there, or not ready; `conflict`, `capacity`, `precondition`. */
  act(place: Place, request: ActRequest): ProvidedAnswer;
  inventory(): InventoryEntry[];
}

export function openStore(database: DatabaseSync, settings: SettingsStore): Store {
  const attachments = openAttachments(database);
  const checkCapacity = openCapacity(database);
  const vmConsole = openConsole(database);
  const perform = openActs(database, {
    checkRoom: (region, more) => checkCapacity(region, settings.capacityOf(region), more),
    userOf: attachments.userOf,
    tell: vmConsole.write,
    latencyOf: (type) => settings.get().latencyMs[type] ?? 0,
  });
  const selectOne = database.prepare('SELECT * FROM resources WHERE region = ? AND kind = ? AND key = ?');
  const selectKind = database.prepare('SELECT * FROM resources WHERE region = ? AND kind = ? ORDER BY id');
  const selectAll = database.prepare('SELECT * FROM resources ORDER BY id');
  const setGone = database.prepare('UPDATE resources SET gone_at = ? WHERE id = ?');
  const setObjects = database.prepare(
    "UPDATE resources SET objects = ? WHERE region = ? AND kind = 'bucket' AND name = ? AND gone_at IS NULL",
  );
  const selectKeys = database.prepare('SELECT access_key FROM bucket_keys WHERE bucket_id = ? ORDER BY access_key');
  const deleteGone = database.prepare('DELETE FROM resources WHERE gone_at <= ?');
  const insert = database.prepare(`
    INSERT INTO resources
      (region, kind, key, name, reference, digest, vcpus, memory_mib, size_gib, disk_gib, cidr, next_offset, ready_at, volume_id, host)
    VALUES
      (:region, :kind, :key, :name, :reference, :digest, :vcpus, :memoryMib, :sizeGib, :diskGib, :cidr, :nextOffset, :readyAt, :volumeId, :host)`);

  /** The row under a key, after everything whose time has come is gone. */
  function rowOf({ region, kind, key }: Place, now: number): Row | undefined {
    deleteGone.run(now);
    const row = selectOne.get(region, kind, key);
    return row && rowSchema.parse(row);
  }

  function shown(row: Row, now: number): ProvidedAnswer {
    const { reference, key, name, region } = row;
    const provided = { reference, key, name, region, state: stateOf(row, now) };
    if (row.kind === 'bucket') return { ...provided, endpoint: `https://objects.${region}.example/${key}` };
    return row.kind === 'vm' ? { ...provided, addresses: attachments.addressesOf(row.id) } : provided;
  }

  function add(region: string, request: CreateRequest, now: number): ProvidedAnswer {
    const { kind, body } = request;
    const place = { region, kind, key: body.key };
    const volume = kind === 'snapshot' ? attachments.volumeToKeep(region, body.volume, now) : undefined;
    const sizeGib = kind === 'volume' ? body.sizeGib : (volume?.size_gib ?? 0);
    checkCapacity(region, settings.capacityOf(region), demandOf(request, sizeGib));
    const { lastInsertRowid } = insert.run({
      ...place,
      name: body.name,
      reference: `sim-${kind}-${randomBytes(8).toString('hex')}`,
      digest: digestOf(body),
      vcpus: kind === 'vm' ? body.vcpus : 0,
      memoryMib: kind === 'vm' ? body.memoryMib : 0,
      sizeGib,
      diskGib: kind === 'vm' ? body.diskGib : 0,
      cidr: kind === 'network' ? body.cidr : null,
      nextOffset: kind === 'network' ? attachments.firstOffset(body.cidr) : null,
      volumeId: volume?.id ?? null,
      host: kind === 'vm' ? (body.host ?? null) : null,
      readyAt: now + (settings.get().latencyMs[`${kind}.create`] ?? 0),
    });
    if (kind === 'vm') {
      const id = Number(lastInsertRowid);
      attachments.attach({ id, region }, body, now);
      vmConsole.write({ id, name: body.name }, 'boot');
    }
    const row = rowOf(place, now);
    if (!row) throw new Error(`the ${kind} "${body.key}" was not there after it had been put in`);
    return shown(row, now);
  }

  return {
    create: (region, request) =>
      inTransaction(database, () => {
        const now = Date.now();
        const { kind, body } = request;
        const row = rowOf({ region, kind, key: body.key }, now);
        if (!row) return { isNew: true, resource: add(region, request, now) };
        if (row.gone_at !== null) throw conflict(row, 'is being deleted; create it again once it is gone');
        if (row.digest !== digestOf(body))
          throw conflict(row, 'is there already, made from another body; use a new key');
        return { isNew: false, resource: shown(row, now) };
      }),

    find: (place) => {
      const now = Date.now();
      const row = rowOf(place, now);
      return row && shown(row, now);
    },

    console: (region, key, lines) => {
      const row = rowOf({ region, kind: 'vm', key }, Date.now());
      return row && vmConsole.read(row.id, lines);
    },

    list: (region, kind) => {
      const now = Date.now();
      deleteGone.run(now);
      return z
        .array(rowSchema)
        .parse(selectKind.all(region, kind))
        .map((row) => shown(row, now));
    },

    fill: (region, bucket, objects) => setObjects.run(objects, region, bucket).changes > 0,

    remove: (place, force = false) =>
      inTransaction(database, () => {
        const now = Date.now();
        const row = rowOf(place, now);
        if (!row) {
          throw new MillwrightError('not_found', `There is no ${place.kind} "${place.key}" in "${place.region}".`);
        }
        if (row.gone_at === null) {
          const user = attachments.userOf(row.id);
          if (user) throw conflict(row, `is in use by the VM "${user}"; delete that first`);
          const snapshot = attachments.snapshotOf(row.id);
          if (snapshot) throw conflict(row, `has the snapshot "${snapshot}"; delete that first`);
          if (row.objects > 0 && !force)
            throw conflict(row, `is not empty: it holds ${row.objects} objects; empty it, or delete it by force`);
          setGone.run(now + (settings.get().latencyMs[`${place.kind}.delete`] ?? 0), row.id);
        }
        const left = rowOf(place, now);
        return left && shown(left, now);
      }),

    act: (place, request) =>
      inTransaction(database, () => {
        const now = Date.now();
        const row = rowOf(place, now);
        if (!row || row.ready_at > now || row.gone_at !== null) {
          const state = row ? 'is not ready for it' : 'is not there';
          throw new MillwrightError(
            row ? 'conflict' : 'not_found',
            `The ${place.kind} "${place.key}" ${state} in "${place.region}".`,
          );
        }
        perform(row.id, request, now);
        const after = rowOf(place, now);
        if (!after) throw new Error(`the ${place.kind} "${place.key}" went away while it was asked for something`);
        return shown(after, now);
      }),

    inventory: () => {
      const now = Date.now();
      deleteGone.run(now);
      return z
        .array(rowSchema)
        .parse(selectAll.all())
        .map((row) => {
          const { id, kind, key, name, region, host } = row;
          const keys = kind === 'bucket' ? { keys: selectKeys.all(id).map((found) => String(found.access_key)) } : {};
          return { kind, key, name, region, state: stateOf(row, now), ...(host === null ? {} : { host }), ...keys };
        });
    },
  };
}

/** What it is now, by the clock. */
export function stateOf(
  { kind, ready_at, gone_at, rest_state, changing_until }: Timed,
  now: number,
): ProvidedAnswer['state'] {
  if (gone_at !== null) return 'deleting';
  if (ready_at > now) return 'building';
  return (changing_until ?? 0) > now ? 'changing' : (rest_state ?? readyState[kind]);
}

function demandOf({ kind, body }: CreateRequest, sizeGib: number): Demand {
  const none = { vms: 0, vcpus: 0, memoryMib: 0, volumeGib: 0 };
  switch (kind) {
    case 'vm':
      return { ...none, vms: 1, vcpus: body.vcpus, memoryMib: body.memoryMib };
    case 'volume':
    case 'snapshot':
      return { ...none, volumeGib: sizeGib };
    case 'network':
    case 'bucket':
      return none;
    default:
      return kind satisfies never;
  }
}

/** A digest in place of the body: user data may hold secrets, and nothing here needs to read it again. */
function digestOf(body: CreateRequest['body']): string {
  return createHash('sha256')
    .update(JSON.stringify(body, [...Object.keys(body), 'address'].toSorted()))
    .digest('hex');
}

const conflict = ({ kind, name, key }: Row, what: string): MillwrightError =>
  new MillwrightError('conflict', `The ${kind} "${name}" (${key}) ${what}.`);
