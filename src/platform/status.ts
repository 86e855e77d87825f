import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { stopSignals } from './child.ts';
import { homePaths } from './home.ts';
import { identitySchema, isAlive } from './identity.ts';

/**
 * starting ──▶ running ──▶ stopped
 *    ▲            │ (dies)
 *    └─ restarting ◀┘
 *
 * The supervisor sets each; `restarting` ends with its backoff.
 */
const roleStates = ['starting', 'running', 'restarting', 'stopped'] as const;
export type RoleState = (typeof roleStates)[number];

const roleStatusSchema = z.object({
  role: z.string(),
  state: z.enum(roleStates),
  /** Null while none is running. */
  process: identitySchema.nullable(),
  restarts: z.number().int(),
  /** When it came to this state. */
  since: z.string(),
  log: z.string(),
  /** What ends it cleanly. */
  stopSignal: z.enum(stopSignals),
});
export type RoleStatus = z.infer<typeof roleStatusSchema>;

const platformStatusSchema = z.object({
  supervisor: identitySchema,
  api: z.string(),
  /** Each after those that it needs. */
  roles: z.array(roleStatusSchema),
});
export type PlatformStatus = z.infer<typeof platformStatusSchema>;

/** What a home's supervisor wrote last, whether it still runs or not. */
export function readStatus(home: string): PlatformStatus | undefined {
  try {
    return platformStatusSchema.parse(JSON.parse(readFileSync(homePaths(home).status, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The platform that runs in this home now, if one does. */
export function status(home: string): PlatformStatus | undefined {
  const last = readStatus(home);
  return last && isAlive(last.supervisor) ? last : undefined;
}
