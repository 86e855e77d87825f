import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { nameSchema } from '../../domain/common.ts';
import { madeKinds } from '../../domain/kinds.ts';
import { operations } from './wire.ts';

/** What a fault does to a call is in effects.ts. `short` and `stale` lie to who observes, and leave all else as it is. */
export const faultEffects = [
  'transient',
  'permanent',
  'accept-then-drop',
  'slow',
  'hang',
  'throttle',
  'echo',
  'short',
  'stale',
] as const;
export type FaultEffect = (typeof faultEffects)[number];

const operationPatterns = [
  '*',
  ...madeKinds.map((kind) => `${kind}.*` as const),
  'bare-metal-host.*',
  'cluster.*',
  ...operations,
] as const;

/** Names one fault, and the calls that it meets: those that fit everything given. */
export const faultSchema = z
  .strictObject({
    effect: z.enum(faultEffects),
    operation: z.enum(operationPatterns).default('*'),
    region: nameSchema.optional(),
    /** `*` stands for any text. A list, and a get or delete of what is not there, have no name to fit. */
    name: z
      .string()
      .regex(/^[a-z0-9*-]{1,63}$/, 'Expected a name, in which "*" stands for any text')
      .optional(),
    /** So many calls are met, then none; without it, all until the fault is deleted. */
    times: z.int().min(1).optional(),
    afterMs: z.int().min(0).max(3_600_000).optional(),
    retryAfterSeconds: z.int().min(0).max(86_400).optional(),
  })
  .refine(({ effect, afterMs }) => effect !== 'hang' || afterMs === undefined, {
    path: ['afterMs'],
    message: 'A call that hangs is never answered, so there is nothing to wait for',
    when: hasEffect,
  })
  .refine(
    ({ effect, retryAfterSeconds }) =>
      retryAfterSeconds === undefined || effect === 'transient' || effect === 'throttle',
    {
      path: ['retryAfterSeconds'],
      message: 'Only "transient" and "throttle" answer with Retry-After',
      when: hasEffect,
    },
  );
type NewFault = z.infer<typeof faultSchema>;

/** So that the refinements are made, and told, beside all else that is wrong. */
function hasEffect({ value }: { value: unknown }): boolean {
  return z.object({ effect: z.string() }).safeParse(value).success;
}

const rowSchema = z
  .object({
    id: z.int(),
    effect: z.enum(faultEffects),
    operation: z.enum(operationPatterns),
    region: z.string().nullable(),
    name: z.string().nullable(),
    times: z.int().nullable(),
    after_ms: z.int().nullable(),
    retry_after_seconds: z.int().nullable(),
    hits: z.int(),
  })
  .transform(({ id, after_ms, retry_after_seconds, ...row }) => ({
    ...row,
    id: String(id),
    afterMs: after_ms,
    retryAfterSeconds: retry_after_seconds,
  }));
export type Fault = z.infer<typeof rowSchema>;

interface Target {
  readonly operation: (typeof operations)[number];
  readonly region: string;
  readonly name: string | null;
}

export interface FaultStore {
  add(fault: NewFault): Fault;
  list(): Fault[];
  remove(id: string): boolean;
  clear(): void;
  /** The oldest fault that meets this call, its hit counted; a fault with `times` never meets more calls than that. */
  hit(target: Target): Fault | undefined;
}

export function openFaults(database: DatabaseSync): FaultStore {
  const insert = database.prepare(`
    INSERT INTO faults (effect, operation, region, name, times, after_ms, retry_after_seconds)
    VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *`);
  const selectAll = database.prepare('SELECT * FROM faults ORDER BY id');
  const selectFitting = database.prepare(`
    SELECT * FROM faults WHERE (times IS NULL OR hits < times) AND (region IS NULL OR region = :region)
      AND operation IN ('*', substr(:operation, 1, instr(:operation, '.')) || '*', :operation)
    ORDER BY id`);
  const countHit = database.prepare('UPDATE faults SET hits = hits + 1 WHERE id = ?');
  const deleteOne = database.prepare('DELETE FROM faults WHERE id = ?');
  const deleteAll = database.prepare('DELETE FROM faults');

  return {
    add: ({ effect, operation, region, name, times, afterMs, retryAfterSeconds }) =>
      rowSchema.parse(
        insert.get(
          effect,
          operation,
          region ?? null,
          name ?? null,
          times ?? null,
          afterMs ?? null,
          retryAfterSeconds ?? null,
        ),
      ),
    list: () => z.array(rowSchema).parse(selectAll.all()),
    remove: (id) => Number(deleteOne.run(id).changes) > 0,
    clear: () => {
      deleteAll.run();
    },
    hit: ({ operation, region, name }) => {
      const fault = z
        .array(rowSchema)
        .parse(selectFitting.all({ operation, region }))
        .find((candidate) => candidate.name === null || (name !== null && fits(candidate.name, name)));
      if (fault) countHit.run(fault.id);
      return fault && { ...fault, hits: fault.hits + 1 };
    },
  };
}

/** Whether a pattern with `*` stands for a name. Looks at each part once: a regular expression may take for ever. */
function fits(pattern: string, name: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return pattern === name;
  if (!name.startsWith(head) || !name.endsWith(tail) || name.length < head.length + tail.length) return false;
  let from = head.length;
  for (const part of rest) {
    const at = name.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return from <= name.length - tail.length;
}
