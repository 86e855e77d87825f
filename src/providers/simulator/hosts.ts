import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { MillwrightError } from '../../errors.ts';
import { inTransaction } from './database.ts';
import { type HostRequest, type HostWish, hostSchema, type Rack, type SimulatedHost } from './host-wire.ts';
import type { SettingsStore } from './settings.ts';

/** What a host becomes at a time. */
const pendingSchema = z.object({ readyAt: z.int(), becomes: hostSchema.partial() });
const recordSchema = z.object({
  host: hostSchema,
  /** The last thing that was asked for. */
  asked: z.string().nullable(),
  pending: pendingSchema.nullable(),
});
type HostRecord = z.infer<typeof recordSchema>;

interface Place {
  readonly region: string;
  readonly address: string;
}

export interface HostStore {
  /** Hosts that are there already stay as they are. */
  add(rack: Rack): SimulatedHost[];
  /** All, or those of a region. */
  list(region?: string): SimulatedHost[];
  /** As their controller gives it to whoever has its credential. Throws `not_found`, `unauthenticated`. */
  find(place: Place, credential: string): SimulatedHost;
  /** Begins what is asked for, in place of what is under way. */
  ask(place: Place, credential: string, request: HostRequest): SimulatedHost;
  /** By address alone. */
  nameOf(place: Place): string | null;
}

/** The metal of the pretend cloud. As with all else here the clock tells what is done, so that no timer is lost by a kill. */
export function openHosts(database: DatabaseSync, settings: SettingsStore): HostStore {
  // Made where it is missing: a file of a simulator that had no metal gets it as well.
  database.exec(`CREATE TABLE IF NOT EXISTS hosts (
    region TEXT NOT NULL, address TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (region, address)
  ) STRICT, WITHOUT ROWID`);
  const selectOne = database.prepare('SELECT record FROM hosts WHERE region = ? AND address = ?');
  const selectAll = database.prepare('SELECT record FROM hosts ORDER BY region, address');
  const put = database.prepare('INSERT OR REPLACE INTO hosts (region, address, record) VALUES (?, ?, ?)');

  const read = (row: Record<string, unknown>): HostRecord => recordSchema.parse(JSON.parse(String(row.record)));
  const write = (record: HostRecord): void => {
    put.run(record.host.region, record.host.address, JSON.stringify(record));
  };

  function recordOf({ region, address }: Place, credential: string): HostRecord {
    const row = selectOne.get(region, address);
    if (!row) throw new MillwrightError('not_found', `There is no host at "${address}" in "${region}".`);
    const record = read(row);
    if (record.host.credential === credential) return record;
    throw new MillwrightError(
      'unauthenticated',
      `The controller at "${address}" does not take the credential "${credential}".`,
    );
  }

  return {
    add: (rack) =>
      inTransaction(database, () =>
        Array.from({ length: rack.count }, (_, index) => {
          const host = newHost(rack, index + 1);
          const row = selectOne.get(host.region, host.address);
          if (row) return shown(read(row));
          write({ host, asked: null, pending: null });
          return host;
        }),
      ),

    list: (region) =>
      selectAll
        .all()
        .map((row) => shown(read(row)))
        .filter((host) => region === undefined || host.region === region),

    find: (place, credential) => shown(recordOf(place, credential)),

    ask: (place, credential, { operation, wish }) =>
      inTransaction(database, () => {
        const record = recordOf(place, credential);
        const asked = `${operation} ${JSON.stringify(wish)}`;
        if (record.asked === asked) return shown(record);
        const readyAt = Date.now() + (settings.get().latencyMs[`bare-metal-host.${wish.action}`] ?? 0);
        const host = { ...shown(record), busy: null };
        const next = {
          host: { ...host, busy: wish.action },
          asked,
          pending: { readyAt, becomes: outcome(host, wish) },
        };
        write(next);
        return shown(next);
      }),

    nameOf: ({ region, address }) => {
      const row = selectOne.get(region, address);
      return row ? read(row).host.address : null;
    },
  };
}

function shown({ host, pending }: HostRecord): SimulatedHost {
  if (!pending || pending.readyAt > Date.now()) return host;
  return hostSchema.parse({ ...host, ...pending.becomes, busy: null });
}

function outcome(host: SimulatedHost, wish: HostWish): Partial<SimulatedHost> {
  const fromDisk = { media: null, boot: { device: 'disk', persistence: 'continuous' } } as const;
  switch (wish.action) {
    case 'power':
      return { power: wish.to === 'off' || wish.to === 'force-off' ? 'off' : 'on' };
    case 'boot':
      return { boot: wish.boot };
    case 'media':
      return { media: wish.url };
    case 'clean':
      return { ...fromDisk, power: 'off', contents: host.contents.map(() => 'empty') };
    case 'deploy':
      return wish.until === 'booted'
        ? { power: 'on', media: wish.url }
        : { ...fromDisk, power: 'on', contents: host.contents.map((old, disk) => (disk === 0 ? wish.url : old)) };
    case 'undeploy':
      return { ...fromDisk, power: 'off' };
    case 'rescue':
      return { power: 'on', media: wish.url };
    case 'unrescue':
      return { ...fromDisk, power: 'on' };
    default:
      return wish satisfies never;
  }
}

function newHost(rack: Rack, unit: number): SimulatedHost {
  const address = rack.address ?? `${rack.rack}-${String(unit).padStart(2, '0')}`;
  const digest = createHash('sha256').update(`${rack.region}/${address}`).digest('hex');
  const list = <Item>(count: number, item: (index: number) => Item) =>
    Array.from({ length: count }, (_, index) => item(index));
  return {
    ...{ region: rack.region, address, systemId: '1', credential: rack.credential, rack: rack.rack, unit },
    reference: `sim-host-${digest.slice(0, 16)}`,
    inventory: {
      ...{ manufacturer: 'Millwright', model: 'Simulated 1U', serial: `SIM-${digest.slice(0, 10).toUpperCase()}` },
      ...{ firmware: '1.0.0', cpus: rack.cpus, cores: rack.cpus * 32, memoryMib: rack.memoryMib },
      disks: list(rack.disks, (index) => ({
        ...{
          name: `disk-${index}`,
          sizeBytes: 960_197_124_096,
          mediaType: 'SSD',
          serial: `${digest.slice(16, 24)}-${index}`,
        },
      })),
      nics: list(2, (index) => ({ name: `nic-${index}`, mac: macOf(digest, index), speedMbps: 25_000 })),
      gpus: list(rack.gpus, (index) => ({ name: `gpu-${index}`, model: 'Simulated GPU' })),
    },
    ...{ health: 'ok', power: 'off', boot: { device: 'disk', persistence: 'continuous' }, media: null, busy: null },
    contents: list(rack.disks, () => 'used'),
  };
}

/** Locally administered (IEEE 802), so that it is nobody's. */
const macOf = (digest: string, index: number): string =>
  ['02', ...(digest.slice(24, 32).match(/../g) ?? []), `0${index}`].join(':');
