import type { DatabaseSync } from 'node:sqlite';

const booted = (name: string): readonly string[] => [
  'Booting from disk',
  'Linux version 6.12.0 (simulated)',
  `systemd[1]: Set hostname to <${name}>.`,
  `${name} login:`,
];

/** What a VM wrote to its console for each thing that was done to it. */
const written = {
  boot: booted,
  stop: () => ['systemd-shutdown[1]: Powering off.'],
  suspend: () => ['PM: suspend entry'],
  resume: () => ['PM: suspend exit'],
  reboot: (name: string) => ['systemd-shutdown[1]: Rebooting.', ...booted(name)],
  rebuild: (name: string) => ['The disk was made anew.', ...booted(name)],
} as const;
export type ConsoleEvent = keyof typeof written;

/** What VMs wrote to their consoles, until they are gone. */
export function openConsole(database: DatabaseSync) {
  const insert = database.prepare('INSERT INTO console (vm_id, line) VALUES (?, ?)');
  const select = database.prepare('SELECT line FROM console WHERE vm_id = ? ORDER BY id DESC LIMIT ?');
  return {
    write: (vm: { readonly id: number; readonly name: string }, event: ConsoleEvent): void => {
      for (const line of written[event](vm.name)) insert.run(vm.id, line);
    },
    /** The last ones, the oldest first. */
    read: (vmId: number, count: number): string[] =>
      select
        .all(vmId, count)
        .map(({ line }) => String(line))
        .reverse(),
  };
}
