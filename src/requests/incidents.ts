import type { Sql } from 'postgres';
import { audited } from '../db/queries/audit.ts';
import { acknowledge, findIncident } from '../db/queries/incidents.ts';
import { isId } from '../domain/common.ts';
import type { Incident } from '../domain/incident.ts';
import { MillwrightError } from '../errors.ts';

interface By {
  readonly actor: string;
  readonly origin: string | null;
  /** Of whose project, or (an operator's) of any. */
  readonly place?: { readonly projectId: string; readonly organizationId: string };
}

/**
 * Somebody sees to it: it is not told of again. Said a second time it changes nothing. Throws `not_found`, and `conflict`
 * for what is resolved.
 */
export async function acknowledgeIncident(
  sql: Sql,
  { actor, origin, place }: By,
  id: string,
  note: string,
): Promise<Incident> {
  const find = async (): Promise<Incident> => {
    const incident = isId(id) ? await findIncident(sql, id, place) : undefined;
    if (incident) return incident;
    throw new MillwrightError('not_found', `There is no incident "${id}"${place ? ' in this project' : ''}.`);
  };
  const { state, kind, organizationId, projectId, jobId } = await find();
  if (state === 'resolved')
    throw new MillwrightError('conflict', `The incident ${id} is resolved: its cause has ended.`);
  if (state === 'open') {
    const act = {
      ...{ actor, origin, organizationId, projectId },
      ...{ action: 'incident.acknowledge', resource: { kind: 'incident', id, name: kind }, reason: note },
      ...(jobId === null ? {} : { jobId }),
    };
    await audited(sql, act, async (transaction) => void (await acknowledge(transaction, id, { by: actor, note })));
  }
  return await find();
}
