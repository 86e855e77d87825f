import { round } from '../measure.ts';
import { ownCpuMs, type Run, timesIdeal } from './run.ts';

/** Milliseconds of a core for each operation, of one process or of those whose names begin so. */
const cpuMs = ({ usage, operations }: Run, name: string): number =>
  round(
    Object.entries(usage.cpuSeconds)
      .filter(([role]) => role.startsWith(name))
      .reduce((sum, [, seconds]) => sum + (1000 * seconds) / operations, 0),
  );

export const peakOf = ({ usage }: Run): { readonly name: string; readonly mib: number } =>
  Object.entries(usage.peakMib).reduce((most, [name, mib]) => (mib > most.mib ? { name, mib } : most), {
    name: '',
    mib: 0,
  });

/** A run as a line: CPU in milliseconds for each operation. */
export function rowOf(run: Run): object {
  const { name, mib } = peakOf(run);
  return {
    engine: run.engine,
    graph: `${run.graph} ${run.operations}`,
    stepMs: run.stepMs,
    limit: run.parallelLimit,
    seconds: round(run.seconds),
    timesIdeal: round(timesIdeal(run)),
    ours: round(ownCpuMs(run)),
    api: cpuMs(run, 'api'),
    control: cpuMs(run, 'control'),
    regions: cpuMs(run, 'region.'),
    simulator: cpuMs(run, 'simulator'),
    temporal: cpuMs(run, 'temporal'),
    postgres: cpuMs(run, 'postgres'),
    peakMib: `${Math.round(mib)} (${name})`,
    events: run.events ? `${run.events.largest} of ${run.events.total}` : '',
  };
}
