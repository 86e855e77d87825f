import type { Sql } from 'postgres';
import { findResource } from '../db/queries/resources.ts';
import { abortable } from '../domain/host-states.ts';
import { MillwrightError } from '../errors.ts';
import type { Caller } from './caller.ts';
import { notFound } from './target.ts';

/** The job that Ironic's verb `abort` cancels. Throws `not_found`, and `conflict` where none may be aborted. */
export async function jobToAbort(sql: Sql, caller: Caller, reference: string): Promise<string> {
  const host = await findResource(sql, caller.project.id, 'bare-metal-host', reference);
  if (!host) throw notFound('bare-metal-host', reference);
  const { name, status, currentJobId } = host;
  if (currentJobId !== null && abortable.some((state) => state === status)) return currentJobId;
  throw new MillwrightError(
    'conflict',
    `The host "${name}" is ${status}, and "abort" can be asked of one that is ${abortable.join(' or ')}.`,
  );
}
