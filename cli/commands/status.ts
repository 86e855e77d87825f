import { Command, Option } from 'commander';
import type { PlatformStatus } from '../../src/platform/status.ts';
import { configOf, homeOption } from '../home.ts';

interface StatusOptions {
  readonly home?: string;
  readonly output: 'table' | 'json';
}

export function statusCommand(): Command {
  return new Command('status')
    .description('show the processes of the platform on this machine; exits with 0 only if all of them run')
    .addOption(new Option('-o, --output <format>', 'how to show it').choices(['table', 'json']).default('table'))
    .addOption(homeOption())
    .action(async (options: StatusOptions) => {
      const { status } = await import('../../src/platform/status.ts');
      const { home } = configOf(options);
      const platform = status(home);
      const shown = show(platform);
      if (options.output === 'json') process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
      else if (platform) process.stdout.write(table(shown.roles));
      else process.stderr.write(`no platform runs in ${home}; "millwright up" starts one\n`);
      process.exitCode = shown.running ? 0 : 1;
    });
}

/** What people and programs see of it: whether all of it runs, and each process. */
function show(platform: PlatformStatus | undefined) {
  const roles = (platform?.roles ?? []).map(({ role, process: identity, state, restarts, since, log }) => ({
    role,
    pid: identity?.pid ?? null,
    state,
    restarts,
    since,
    log,
  }));
  const running = roles.length > 0 && roles.every(({ state }) => state === 'running');
  return { running, supervisorPid: platform?.supervisor.pid ?? null, api: platform?.api ?? null, roles };
}

function table(rows: ReturnType<typeof show>['roles']): string {
  const lines = [
    ['ROLE', 'PID', 'STATE', 'RESTARTS', 'SINCE', 'LOG'],
    ...rows.map((row) => [row.role, row.pid ?? '-', row.state, row.restarts, row.since, row.log].map(String)),
  ];
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
