import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { MillwrightError } from '../../errors.ts';
import type { ConsoleEvent } from './console.ts';
import type { Capacity } from './settings.ts';
import type { ActRequest } from './wire.ts';

const rowSchema = z.object({
  id: z.int(),
  region: z.string(),
  name: z.string(),
  vcpus: z.int(),
  memory_mib: z.int(),
  size_gib: z.int(),
  disk_gib: z.int(),
  rest_state: z.string().nullable(),
  changing_until: z.int().nullable(),
  reboot_token: z.string().nullable(),
  rebuild_token: z.string().nullable(),
  restore_token: z.string().nullable(),
});
type Row = z.infer<typeof rowSchema>;

interface Parts {
  readonly checkRoom: (region: string, more: { readonly [Measure in keyof Capacity]-?: number }) => void;
  /** The name of the VM that has a volume. */
  readonly userOf: (id: number) => string | undefined;
  /** Writes to a VM's console. */
  readonly tell: (vm: Pick<Row, 'id' | 'name'>, event: ConsoleEvent) => void;
  /** How long an act takes, in ms. */
  readonly latencyOf: (type: ActRequest['type']) => number;
}

const none = { vms: 0, vcpus: 0, memoryMib: 0, volumeGib: 0 };

/** What may be done with a resource that is there. Each may be asked any number of times. */
export function openActs(database: DatabaseSync, { checkRoom, userOf, tell, latencyOf }: Parts) {
  const selectRow = database.prepare('SELECT * FROM resources WHERE id = ?');
  const selectVm = database.prepare(
    "SELECT * FROM resources WHERE region = ? AND kind = 'vm' AND key = ? AND gone_at IS NULL AND ready_at <= ?",
  );
  const setState = database.prepare('UPDATE resources SET rest_state = ?, changing_until = ? WHERE id = ?');
  const setTokens = database.prepare('UPDATE resources SET reboot_token = ?, rebuild_token = ? WHERE id = ?');
  const setSize = database.prepare(
    'UPDATE resources SET vcpus = ?, memory_mib = ?, disk_gib = ?, size_gib = ?, changing_until = ? WHERE id = ?',
  );
  const setRestored = database.prepare('UPDATE resources SET restore_token = ?, changing_until = ? WHERE id = ?');
  const selectSnapshot = database.prepare(
    "SELECT name FROM resources WHERE region = ? AND kind = 'snapshot' AND key = ? AND volume_id = ? AND gone_at IS NULL AND ready_at <= ?",
  );
  const selectRunning = database.prepare(`
    SELECT name FROM resources WHERE id IN (SELECT vm_id FROM attachments WHERE volume_id = ?)
      AND coalesce(rest_state, 'running') <> 'stopped'`);
  const attach = database.prepare('INSERT INTO attachments (volume_id, vm_id) VALUES (?, ?)');
  const detach = database.prepare('DELETE FROM attachments WHERE volume_id = ? AND vm_id = ?');
  const selectAttached = database.prepare('SELECT vm_id FROM attachments WHERE volume_id = ?');

  const insertKey = database.prepare(
    'INSERT INTO bucket_keys (access_key, bucket_id, digest) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const deleteKey = database.prepare('DELETE FROM bucket_keys WHERE access_key = ? AND bucket_id = ?');

  const vmOf = (region: string, key: string, now: number): Row | undefined => {
    const row = selectVm.get(region, key, now);
    return row && rowSchema.parse(row);
  };

  return (id: number, request: ActRequest, now: number): void => {
    const row = rowSchema.parse(selectRow.get(id));
    const state = row.rest_state ?? 'running';
    const until = now + latencyOf(request.type);
    const rest = (wanted: string, from: readonly string[], event: ConsoleEvent): void => {
      if (state === wanted) return;
      if (!from.includes(state))
        throw refused(row, `is ${state}, and can be asked this when it is ${from.join(' or ')}`);
      setState.run(wanted, until, id);
      tell(row, event);
    };
    switch (request.type) {
      case 'vm.start':
        rest('running', ['stopped'], 'boot');
        return;
      case 'vm.stop':
        rest('stopped', ['running', 'suspended'], 'stop');
        return;
      case 'vm.suspend':
        rest('suspended', ['running'], 'suspend');
        return;
      case 'vm.resume':
        rest('running', ['suspended'], 'resume');
        return;
      case 'vm.reboot': {
        if (row.reboot_token === request.body.token) return;
        setTokens.run(request.body.token, row.rebuild_token, id);
        tell(row, 'reboot');
        setState.run('running', until, id);
        return;
      }
      case 'vm.rebuild': {
        if (row.rebuild_token === request.body.token) return;
        setTokens.run(row.reboot_token, request.body.token, id);
        tell(row, 'rebuild');
        setState.run('running', until, id);
        return;
      }
      case 'vm.resize': {
        const { vcpus, memoryMib, diskGib } = request.body;
        const more = {
          ...none,
          vcpus: Math.max(0, vcpus - row.vcpus),
          memoryMib: Math.max(0, memoryMib - row.memory_mib),
        };
        if (vcpus === row.vcpus && memoryMib === row.memory_mib && diskGib <= row.disk_gib) return;
        checkRoom(row.region, more);
        setSize.run(vcpus, memoryMib, Math.max(diskGib, row.disk_gib), row.size_gib, until, id);
        return;
      }
      case 'volume.attach': {
        const vm = vmOf(row.region, request.body.vm, now);
        if (!vm)
          throw new MillwrightError('precondition', `There is no VM "${request.body.vm}" to attach "${row.name}" to.`);
        if (selectAttached.get(id)?.vm_id === vm.id) return;
        const user = userOf(id);
        if (user) throw refused(row, `belongs to the VM "${user}"; detach it first`);
        attach.run(id, vm.id);
        setState.run(null, until, id);
        return;
      }
      case 'volume.detach': {
        const vm = vmOf(row.region, request.body.vm, now);
        if (vm) detach.run(id, vm.id);
        setState.run(null, until, id);
        return;
      }
      case 'volume.grow': {
        const { sizeGib } = request.body;
        if (sizeGib <= row.size_gib) return;
        checkRoom(row.region, { ...none, volumeGib: sizeGib - row.size_gib });
        setSize.run(0, 0, 0, sizeGib, until, id);
        return;
      }
      case 'volume.restore': {
        const { snapshot, token } = request.body;
        if (row.restore_token === token) return;
        if (!selectSnapshot.get(row.region, snapshot, id, now))
          throw new MillwrightError('precondition', `There is no snapshot "${snapshot}" of "${row.name}".`);
        const running = selectRunning.get(id);
        if (running) throw refused(row, `belongs to the VM "${running.name}", which runs; stop it first`);
        setRestored.run(token, until, id);
        return;
      }
      case 'bucket.create-key': {
        const { accessKey, secret } = request.body;
        insertKey.run(accessKey, id, createHash('sha256').update(secret).digest('hex'));
        return;
      }
      case 'bucket.revoke-key':
        deleteKey.run(request.body.accessKey, id);
        return;
      default:
        request satisfies never;
    }
  };
}

const refused = ({ name }: Row, what: string): MillwrightError => new MillwrightError('conflict', `"${name}" ${what}.`);
