import { Command, Option } from 'commander';
import type { Endpoints } from '../../src/config/index.ts';
import type { PlatformStatus } from '../../src/platform/status.ts';
import { configOf, homeOption } from '../home.ts';
import type { Column } from '../table.ts';

interface StatusOptions {
  readonly home?: string;
  readonly output: 'table' | 'json' | 'yaml';
}

export function statusCommand(): Command {
  return new Command('status')
    .description('show the processes of the platform on this machine; exits with 0 only if all of them run')
    .addOption(
      new Option('-o, --output <format>', 'how to show it').choices(['table', 'json', 'yaml']).default('table'),
    )
    .addOption(homeOption())
    .action(async ({ home: given, output }: StatusOptions) => {
      const { status } = await import('../../src/platform/status.ts');
      const { readEndpoints } = await import('../../src/config/index.ts');
      const { home } = configOf(given === undefined ? {} : { home: given });
      const platform = status(home);
      const shown = await show(platform, readEndpoints(home));
      if (output !== 'table') {
        const { serialise } = await import('../session.ts');
        process.stdout.write(await serialise(shown, output));
      } else if (platform) {
        const { table } = await import('../table.ts');
        process.stdout.write(table(columns, shown.roles, Date.now()));
      } else process.stderr.write(`no platform runs in ${home}; "millwright up" starts one\n`);
      process.exitCode = shown.running ? 0 : 1;
    });
}

/** What people and programs see of it: whether all of it runs, and each process. */
async function show(platform: PlatformStatus | undefined, endpoints: Endpoints | undefined) {
  const roles = await Promise.all(
    (platform?.roles ?? []).map(async ({ role, process: identity, state, restarts, since, log }) => {
      const metrics = endpoints?.metrics[role] ?? null;
      return { role, pid: identity?.pid ?? null, state, ...(await readiness(metrics)), restarts, since, metrics, log };
    }),
  );
  const running = roles.length > 0 && roles.every(({ state }) => state === 'running');
  return { running, supervisorPid: platform?.supervisor.pid ?? null, api: platform?.api ?? null, roles };
}

/** Null for what does not tell, as a database. */
async function readiness(metricsUrl: string | null): Promise<{ ready: boolean | null; missing: readonly string[] }> {
  if (metricsUrl === null) return { ready: null, missing: [] };
  const { readinessAt } = await import('../../src/platform/readiness.ts');
  return readinessAt(metricsUrl);
}

type Row = Awaited<ReturnType<typeof show>>['roles'][number];

const readyText = ({ ready, missing }: Row): string => {
  if (ready === null) return '-';
  const without = missing.length > 0 ? ` (without ${missing.join(', ')})` : '';
  return `${ready ? 'yes' : 'no'}${without}`;
};

const columns: readonly Column<Row>[] = [
  { header: 'ROLE', value: ({ role }) => role },
  { header: 'PID', value: ({ pid }) => String(pid ?? '-') },
  { header: 'STATE', value: ({ state }) => state },
  { header: 'READY', value: readyText },
  { header: 'RESTARTS', value: ({ restarts }) => String(restarts) },
  { header: 'SINCE', value: ({ since }) => since },
  { header: 'LOG', value: ({ log }) => log },
];
