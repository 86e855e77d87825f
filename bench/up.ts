import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import postgres, { type Sql } from 'postgres';
import { type Endpoints, readEndpoints } from '../src/config/index.ts';
import { removeHome } from '../src/platform/postgres-data.ts';
import { readStatus } from '../src/platform/status.ts';

export interface Call {
  readonly at: string;
  readonly operation: string;
  readonly key: string | null;
}

const program = fileURLToPath(new URL('../cli/main.ts', import.meta.url));

/** A platform in a home of its own, started and stopped by the command line. */
export class UpPlatform {
  readonly home: string;
  #endpoints: Endpoints | undefined;
  #sql: Sql | undefined;

  constructor(home: string) {
    this.home = home;
  }

  /** Seconds until it is ready. */
  async up(): Promise<number> {
    const began = performance.now();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, this.#abandon);
    await this.#millwright('up', '--port', '0', '--detach');
    this.#endpoints = readEndpoints(this.home);
    this.#sql = postgres(this.endpoints.postgres, { max: 1, onnotice: () => undefined });
    return (performance.now() - began) / 1000;
  }

  async down(): Promise<void> {
    await this.#sql?.end();
    await this.#millwright('down');
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, this.#abandon);
  }

  get endpoints(): Endpoints {
    if (this.#endpoints) return this.#endpoints;
    throw new Error('the platform is not up');
  }

  get sql(): Sql {
    if (this.#sql) return this.#sql;
    throw new Error('the platform is not up');
  }

  /** Of each role that runs, its process. */
  get pids(): Readonly<Record<string, number>> {
    const roles = readStatus(this.home)?.roles ?? [];
    return Object.fromEntries(roles.flatMap(({ role, process }) => (process ? [[role, process.pid]] : [])));
  }

  pidOf(role: string): number | undefined {
    return this.pids[role];
  }

  /** Gives the id of the job that the answer names, if it names one. */
  async post(path: string, body: string): Promise<{ jobId: string | undefined }> {
    const answer = await fetch(this.endpoints.api + path, { method: 'POST', headers: this.#headers, body });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    const { job } = (await answer.json()) as { job?: { id: string } };
    return { jobId: job?.id };
  }

  /** How long the simulator takes for a volume. */
  async setLatency(milliseconds: number): Promise<void> {
    const answer = await fetch(`${this.endpoints.simulator}/settings`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ latencyMs: { 'volume.create': milliseconds } }),
    });
    if (!answer.ok) throw new Error(`the simulator refuses its settings: ${answer.status}`);
  }

  async calls(): Promise<readonly Call[]> {
    const answer = await fetch(`${this.endpoints.simulator}/calls`);
    return ((await answer.json()) as { calls: Call[] }).calls;
  }

  get #headers(): Record<string, string> {
    const token = readFileSync(join(this.home, 'operator.token'), 'utf8').trim();
    return { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  }

  /** A platform outlives whoever started it: one that nobody measures any more is ended, and its home removed. */
  readonly #abandon = (): void => {
    execFileSync(process.execPath, [program, 'down', '--home', this.home]);
    removeHome(this.home);
    process.exit(130);
  };

  async #millwright(...command: string[]): Promise<void> {
    await promisify(execFile)(process.execPath, [program, ...command, '--home', this.home]);
  }
}

/** Asks until there is an answer; a part that is away has none. */
export async function until<Value>(
  what: string,
  ask: () => Promise<Value | undefined>,
  { everyMs = 20, deadlineMs = 120_000 } = {},
): Promise<Value> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await ask().catch(() => undefined);
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(`waited ${deadlineMs / 1000} s in vain for ${what}`);
    await pause(everyMs);
  }
}
