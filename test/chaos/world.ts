import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import postgres, { type Sql } from 'postgres';
import { vi } from 'vitest';
import { readConfig } from '../../src/config/index.ts';
import { removeHome } from '../../src/platform/postgres-data.ts';
import { startPlatform } from '../../src/platform/supervisor.ts';
import { openKeyRing } from '../../src/secrets/key-ring.ts';
import { temporalClient } from '../../temporal/client.ts';
import { Api } from '../harness/api.ts';
import { Simulator } from '../harness/simulator.ts';
import { until } from '../harness/until.ts';
import { foundTenant, openTenant, type Tenant } from './tenant.ts';

/** A whole supervised platform in a home of its own, every process of it real and to be killed. */
export interface World {
  readonly home: string;
  readonly sql: Sql;
  readonly simulator: Simulator;
  readonly temporal: Client;
  /** The operator's own project first, then others, each of an organisation of its own. */
  readonly tenants: readonly [Tenant, ...Tenant[]];
  /** Whose job or resource it is, by its project. */
  tenantOf(of: { readonly projectId: string }): Tenant;
  pidOf(role: string): number | undefined;
  /** `SIGKILL`; nothing where it does not run now. */
  kill(role: string): void;
  /** Stops a process for so long, as a hypervisor does that pauses a machine. */
  freeze(role: string, seconds: number): Promise<void>;
  /** Moves the clock that a process sees by so much against everybody else's; 0 sets it right. */
  moveClock(role: keyof typeof commands, seconds: number): void;
  /** Waits until every process runs. */
  whole(): Promise<void>;
  /** What the supervisor said, newest last. */
  readonly said: readonly string[];
  stop(keepHome: boolean): Promise<void>;
}

/** Everything that takes minutes in a data centre takes seconds here. */
const quick = {
  MILLWRIGHT_STEP_ATTEMPTS: '4',
  MILLWRIGHT_STEP_PAUSE_SECONDS: '0.1',
  MILLWRIGHT_STEP_PAUSE_MAX_SECONDS: '1',
  MILLWRIGHT_STEP_TIMEOUT_SECONDS: '30',
  MILLWRIGHT_STEP_LATE_SECONDS: '4',
  MILLWRIGHT_START_LATE_SECONDS: '4',
  MILLWRIGHT_LOST_AFTER_SECONDS: '2',
  MILLWRIGHT_PROVIDER_TIMEOUT_MS: '1000',
} as const;

/** Our own processes, by the words of their command; those of others have clocks that only the machine can move. */
const commands = {
  api: 'api',
  control: 'worker control',
  'region.tpe-1': 'worker region --region tpe-1',
  'region.nrt-1': 'worker region --region nrt-1',
  simulator: 'simulator',
} as const;

/** `others`: the names of tenants beside the operator's own project. */
export async function startWorld(others: readonly string[] = []): Promise<World> {
  const home = mkdtempSync(join(tmpdir(), 'millwright-chaos-'));
  const said: string[] = [];
  const clocks: Record<string, number> = {};
  const clockFile = join(home, 'clocks.json');
  writeFileSync(clockFile, '{}');
  const preload = `--import=${new URL('moved-clock.mjs', import.meta.url).href}`;
  const changes = { ...quick, NODE_OPTIONS: preload, CHAOS_CLOCK_FILE: clockFile };
  for (const [name, value] of Object.entries(changes)) vi.stubEnv(name, value);
  const config = readConfig({ ...process.env, MILLWRIGHT_HOME: home });
  const platform = await startPlatform({ config, port: 0 }, (line) => said.push(line));
  const operator = new Api(platform.endpoints.api, readFileSync(join(home, 'operator.token'), 'utf8').trim());
  const sql = postgres(platform.endpoints.postgres, { max: 3, onnotice: () => undefined });
  const { client, connection } = temporalClient({
    address: platform.endpoints.temporal,
    namespace: config.TEMPORAL_NAMESPACE,
    keys: openKeyRing(config.payloadKeyFile),
  });
  const tenants: [Tenant, ...Tenant[]] = [await openTenant(operator.url, operator.token)];
  for (const name of others) tenants.push(await foundTenant(operator, name));
  const frozen = new Set<number>();

  const signal = (pid: number, name: NodeJS.Signals): void => {
    try {
      process.kill(pid, name);
    } catch {
      // It has just ended.
    }
  };

  return {
    home,
    sql,
    tenants,
    tenantOf: ({ projectId }) => {
      const tenant = tenants.find((candidate) => candidate.projectId === projectId);
      if (!tenant) throw new Error(`nobody has the project ${projectId}`);
      return tenant;
    },
    simulator: new Simulator(platform.endpoints.simulator),
    temporal: client,
    said,
    pidOf: platform.pidOf,
    kill: (role) => {
      const pid = platform.pidOf(role);
      if (pid !== undefined) signal(pid, 'SIGKILL');
    },
    freeze: async (role, seconds) => {
      const pid = platform.pidOf(role);
      if (pid === undefined || frozen.has(pid)) return;
      frozen.add(pid);
      signal(pid, 'SIGSTOP');
      await pause(seconds * 1000);
      signal(pid, 'SIGCONT');
      frozen.delete(pid);
    },
    moveClock: (role, seconds) => {
      clocks[commands[role]] = seconds;
      writeFileSync(clockFile, JSON.stringify(clocks));
    },
    whole: async () => {
      await until(
        () => `every process to run: ${JSON.stringify(platform.status().roles)}\n${said.slice(-20).join('\n')}`,
        async () => platform.status().roles.every(({ state }) => state === 'running'),
        60_000,
      );
    },
    stop: async (keepHome) => {
      await Promise.all([sql.end({ timeout: 1 }), connection.close()]);
      await platform.stop();
      vi.unstubAllEnvs();
      if (!keepHome) removeHome(home);
    },
  };
}
