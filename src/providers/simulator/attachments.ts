import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { MillwrightError } from '../../errors.ts';
import { addressAt, hostRange, offsetOf } from './addresses.ts';
import type { CreateBody, providedVmSchema } from './wire.ts';

const usedSchema = z.object({
  id: z.int(),
  name: z.string(),
  cidr: z.string().nullable(),
  next_offset: z.int().nullable(),
  size_gib: z.int(),
  ready_at: z.int(),
  gone_at: z.int().nullable(),
});
type Used = z.infer<typeof usedSchema>;

const addressSchema = z.object({ key: z.string(), name: z.string(), address: z.string() });

interface Vm {
  readonly id: number;
  readonly region: string;
}

/** What a VM holds of its networks and volumes, from its create until it is gone. */
export function openAttachments(database: DatabaseSync) {
  const selectUsed = database.prepare('SELECT * FROM resources WHERE region = ? AND kind = ? AND key = ?');
  const selectTaken = database.prepare('SELECT 1 FROM addresses WHERE network_id = ? AND offset = ?');
  const insertAddress = database.prepare(
    'INSERT INTO addresses (network_id, offset, vm_id, position, address) VALUES (?, ?, ?, ?, ?)',
  );
  const setNextOffset = database.prepare('UPDATE resources SET next_offset = ? WHERE id = ?');
  const insertAttachment = database.prepare('INSERT INTO attachments (volume_id, vm_id) VALUES (?, ?)');
  const selectAddresses = database.prepare(`
    SELECT network.key, network.name, address FROM addresses JOIN resources network ON network.id = network_id
    WHERE vm_id = ? ORDER BY position`);
  const selectUser = database.prepare(`
    SELECT name FROM resources WHERE id IN
      (SELECT vm_id FROM addresses WHERE network_id = :id UNION SELECT vm_id FROM attachments WHERE volume_id = :id)
    LIMIT 1`);
  const selectSnapshot = database.prepare('SELECT name FROM resources WHERE volume_id = ? LIMIT 1');

  function usable(region: string, kind: 'network' | 'volume', key: string, now: number, user = 'VM'): Used {
    const row = selectUsed.get(region, kind, key);
    const used = row && usedSchema.parse(row);
    if (used && used.gone_at === null && used.ready_at <= now) return used;
    const state = used ? `is ${used.gone_at === null ? 'still being built' : 'being deleted'}` : 'is not there';
    throw new MillwrightError(
      'precondition',
      `The ${user} needs the ${kind} "${key}", which ${state} in "${region}". Create it first, and wait until it is available.`,
    );
  }

  /** Gives the VM the lowest address that is free, and so may give one again that another VM had. */
  function takeAddress(vm: Vm, network: Used, position: number): void {
    const { cidr, next_offset: next } = network;
    if (cidr === null || next === null) throw new Error(`the network ${network.id} was stored without its block`);
    const { last } = hostRange(cidr);
    let offset = next;
    while (selectTaken.get(network.id, offset)) offset += 1;
    if (offset > last) {
      throw new MillwrightError(
        'capacity',
        `The network "${network.name}" (${cidr}) has no free address: 1 wanted, 0 free. Delete a VM in it, or use another network.`,
      );
    }
    insertAddress.run(network.id, offset, vm.id, position, addressAt(cidr, offset));
    setNextOffset.run(offset + 1, network.id);
  }

  /** Gives the VM the address that was asked for. */
  function takeGiven(vm: Vm, network: Used, position: number, address: string): void {
    const { cidr } = network;
    if (cidr === null) throw new Error(`the network ${network.id} was stored without its block`);
    const offset = offsetOf(cidr, address);
    if (selectTaken.get(network.id, offset)) {
      throw new MillwrightError('conflict', `Address ${address} of the network "${network.name}" is another VM's.`);
    }
    insertAddress.run(network.id, offset, vm.id, position, address);
  }

  function takeVolume(vm: Vm, volume: Used): void {
    const user = userOf(volume.id);
    if (user) {
      throw new MillwrightError(
        'conflict',
        `The volume "${volume.name}" belongs to the VM "${user}"; delete that first.`,
      );
    }
    insertAttachment.run(volume.id, vm.id);
  }

  /** The name of a VM that holds a network or a volume. */
  function userOf(id: number): string | undefined {
    const row = selectUser.get({ id });
    return row && String(row.name);
  }

  return {
    userOf,
    /** The name of a snapshot that a volume has. */
    snapshotOf: (id: number): string | undefined => {
      const row = selectSnapshot.get(id);
      return row && String(row.name);
    },
    /** The volume that a snapshot is to be taken of. */
    volumeToKeep: (region: string, key: string, now: number): Pick<Used, 'id' | 'size_gib'> =>
      usable(region, 'volume', key, now, 'snapshot'),
    firstOffset: (cidr: string): number => hostRange(cidr).first,
    attach: (vm: Vm, body: CreateBody<'vm'>, now: number): void => {
      body.networks.forEach((joined, position) => {
        if (typeof joined === 'string') takeAddress(vm, usable(vm.region, 'network', joined, now), position);
        else takeGiven(vm, usable(vm.region, 'network', joined.key, now), position, joined.address);
      });
      for (const key of body.volumes) takeVolume(vm, usable(vm.region, 'volume', key, now));
    },
    addressesOf: (vmId: number): z.infer<typeof providedVmSchema>['addresses'] =>
      selectAddresses.all(vmId).map((row) => {
        const { key, name, address } = addressSchema.parse(row);
        return { network: { key, name }, address };
      }),
  };
}
