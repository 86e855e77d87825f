import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { version } from '../version.ts';

/** A looser watch on the event loop than the default of 10 ms, which alone would wake a process that rests a hundred times a second. */
const eventLoopPrecisionMs = 500;

/** The metrics of one role: what Node tells of the process, which version this is, and whatever the role adds. */
export function openRegistry(role: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: eventLoopPrecisionMs });
  new Gauge({
    name: 'millwright_build_info',
    help: 'Always 1; the version is a label.',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version, node: process.version }, 1);
  return registry;
}

/** From what takes a moment to what takes a working day: steps and jobs wait for machines. */
export const longBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400];
/** What a caller waits for. */
export const shortBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
