import postgres, { type Sql } from 'postgres';
import { type Config, readEndpoints, required } from '../src/config/index.ts';
import { dataKeysByKey } from '../src/db/queries/data-keys.ts';
import { MillwrightError } from '../src/errors.ts';
import { type KeyState, keyStates, removeKey, stateOf } from '../src/secrets/key-edit.ts';
import { openKeyManagement } from '../src/secrets/key-management.ts';
import { openKeyRing } from '../src/secrets/key-ring.ts';
import { rewrapDataKeys } from '../src/secrets/rewrap.ts';
import { sealStored } from '../src/secrets/seal-stored.ts';
import { openSealer } from '../src/secrets/specs.ts';
import { temporalClient } from '../temporal/client.ts';
import { workflowsBefore } from '../temporal/payload-use.ts';

export { addKey, promoteKey } from '../src/secrets/key-edit.ts';

/** `secrets`: what the database seals. `payloads`: what Temporal's histories hold. */
export type KeyUse = 'secrets' | 'payloads';

export interface KeyLine extends KeyState {
  readonly use: KeyUse;
  readonly neededBy: string;
}

/** By then every process has noticed that another key was promoted. */
const noticedAfterMs = 60_000;

export const fileOf = (config: Config, use: KeyUse): string =>
  use === 'secrets' ? config.secretKeyFile : config.payloadKeyFile;

export async function listKeys(config: Config): Promise<KeyLine[]> {
  const wrapped = await withDatabase(config, dataKeysByKey);
  const secrets = keyStates(config.secretKeyFile).map((key) => {
    const count = wrapped.get(key.id) ?? 0;
    return { ...key, use: 'secrets' as const, neededBy: count > 0 ? `${count} data keys` : '' };
  });
  const payloads = await Promise.all(
    keyStates(config.payloadKeyFile).map(async (key) => {
      const count = key.state === 'retiring' ? await workflowsNeeding(config, key.until) : 0;
      return { ...key, use: 'payloads' as const, neededBy: count > 0 ? `${count} workflows` : '' };
    }),
  );
  return [...secrets, ...payloads];
}

export const rewrap = (config: Config): Promise<{ rewrapped: number; sealed: number }> =>
  withDatabase(config, async (sql) => ({
    rewrapped: await rewrapDataKeys(sql, openKeyManagement(config)),
    sealed: await sealStored(sql, openSealer(config, sql)),
  }));

/** Refuses while anything that can be known of still needs the key. */
export async function retireKey(config: Config, use: KeyUse, id: string, now = Date.now()): Promise<void> {
  const { state, until } = stateOf(fileOf(config, use), id);
  if (until !== null && now - Date.parse(until) < noticedAfterMs) {
    throw new MillwrightError(
      'conflict',
      `The key "${id}" encrypted until ${until}: ask again a minute later, when every process has noticed.`,
    );
  }
  if (use === 'secrets') {
    const count = (await withDatabase(config, dataKeysByKey)).get(id) ?? 0;
    if (count > 0) {
      throw new MillwrightError(
        'conflict',
        `The key "${id}" still wraps ${count} data keys. Promote another, then run "millwright key rewrap".`,
      );
    }
  } else if (state === 'retiring') {
    const count = await workflowsNeeding(config, until);
    if (count > 0) {
      throw new MillwrightError(
        'conflict',
        `The key "${id}" may be needed by ${count} workflows that Temporal still keeps. It can be retired when the namespace's retention has taken them.`,
      );
    }
  }
  removeKey(fileOf(config, use), id);
}

async function withDatabase<Result>(config: Config, work: (sql: Sql) => Promise<Result>): Promise<Result> {
  const url = required(config.DATABASE_URL ?? readEndpoints(config.home)?.postgres, 'DATABASE_URL');
  const sql = postgres(url, { max: 2, onnotice: () => undefined });
  try {
    return await work(sql);
  } finally {
    await sql.end();
  }
}

async function workflowsNeeding(config: Config, until: string | null): Promise<number> {
  const address = required(config.TEMPORAL_ADDRESS ?? readEndpoints(config.home)?.temporal, 'TEMPORAL_ADDRESS');
  const keys = openKeyRing(config.payloadKeyFile);
  const { client, connection } = temporalClient({ address, namespace: config.TEMPORAL_NAMESPACE, keys });
  try {
    return await workflowsBefore(client, until);
  } finally {
    await connection.close();
  }
}
