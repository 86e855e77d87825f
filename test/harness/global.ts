import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../src/db/migrate.ts';
import { createLogger } from '../../src/log.ts';
import { startPostgres, startTemporal } from '../../src/platform/parts.ts';
import { ensureKeyFile } from '../../src/secrets/key-file.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { runOn } from './databases.ts';

/** What the whole run shares: one PostgreSQL with a migrated template, one Temporal, the bundled workflows. */
export interface SharedParts {
  readonly postgresUrl: string;
  readonly temporalAddress: string;
  /** A home with operator token, payload keys and cached bundle, to be linked into each file's own. */
  readonly home: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    parts: SharedParts;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = mkdtempSync(join(tmpdir(), 'millwright-test-'));
  const log = createLogger('test', 'warn');
  for (const file of ['payload.keys', 'secret.keys']) ensureKeyFile(join(home, 'keys', file));
  const [postgres, temporal] = await Promise.all([
    startPostgres(),
    startTemporal(),
    workflowBundle(join(home, 'cache'), log),
  ]);
  await runOn(postgres.url, 'CREATE DATABASE template');
  await migrate(postgres.url.replace(/\/[^/]*$/, '/template'), home, log);
  project.provide('parts', { postgresUrl: postgres.url, temporalAddress: temporal.url, home });
  return async () => {
    await Promise.all([postgres.stop(), temporal.stop()]);
    rmSync(home, { recursive: true, force: true });
  };
}
