import type { BodyOf } from '../../src/batch/with.ts';
import { jobForWork } from '../../src/db/queries/batch-work.ts';
import type { HttpSpec } from '../../src/domain/job.ts';
import type { BatchPlace } from '../../src/requests/caller.ts';
import { acceptHttp } from '../../src/requests/http.ts';
import { type Beginning, backOptionsOf, callerOf, optionsOf } from './begin-one.ts';
import type { ControlDependencies } from './index.ts';

export async function call(
  dependencies: ControlDependencies,
  beginning: Beginning,
  place: BatchPlace,
  spec: BodyOf<'http.request'>,
): Promise<undefined> {
  await accept(dependencies, beginning, place, spec);
}

/** Takes a call back by the `undo` that was accepted with it; gives whether there is one. */
export async function callBack(
  dependencies: ControlDependencies,
  beginning: Beginning,
  place: BatchPlace,
): Promise<boolean> {
  const { database, sealer } = dependencies;
  const before = await jobForWork(database.sql, sealer, beginning.row.jobId);
  const { undo } = Object(before?.job.spec) as Partial<HttpSpec>;
  if (!undo) return false;
  await accept(dependencies, beginning, place, { ...undo, takesBack: true });
  return true;
}

async function accept(
  dependencies: ControlDependencies,
  beginning: Beginning,
  place: BatchPlace,
  spec: HttpSpec,
): Promise<void> {
  const { batch, row } = beginning;
  const options = (spec.takesBack ? backOptionsOf : optionsOf)(dependencies, beginning, place);
  const from = { region: row.region ?? '', key: row.jobId };
  await acceptHttp(dependencies.database.sql, callerOf(batch), batch, from, spec, options);
}
