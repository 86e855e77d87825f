import { limit, median, type Result, round } from '../measure.ts';
import { ownCpuMs, type Run } from './run.ts';
import { peakOf } from './table.ts';

/** The fastest of its turns: what disturbs a machine makes none faster. */
const secondsOf = (runs: readonly Run[], engine: string): number =>
  Math.min(...runs.filter((run) => run.engine === engine).map(({ seconds }) => seconds));

/** K1: a thousand operations of a second, and of 50 ms beside the peers. */
export function speed(long: readonly Run[], short: readonly Run[]): Result[] {
  const ours = secondsOf(short, 'millwright');
  const what = '1,000 operations of 50 ms, 100 at a time';
  return [
    ratio('K1-1s', '1,000 operations of 1 s, 100 at a time', ourSeconds(long), 'ideal', idealOf(long), 1.2),
    ratio('K1-50ms', what, ours, 'ideal', idealOf(short), 4),
    ratio('K1-dbos', what, ours, 'DBOS', secondsOf(short, 'dbos'), 1),
    ratio('K1-temporal', what, ours, 'a bare fan-out on Temporal', secondsOf(short, 'temporal'), 1.5),
  ];
}

const ourSeconds = (runs: readonly Run[]): number => secondsOf(runs, 'millwright');
const idealOf = ([run]: readonly Run[]): number => run?.idealSeconds ?? Number.NaN;

function ratio(id: string, what: string, value: number, peer: string, peerValue: number, goal: number): Result {
  const times = value / peerValue;
  return {
    ...{ id, what, value: round(value), unit: 's', peer, peerValue: round(peerValue) },
    ...{ ratio: round(times), goal: `at most ${goal}`, holds: times <= goal },
  };
}

/** K2: what an operation costs in a batch of ten thousand, beside one of a thousand. */
export function cost(thousand: readonly Run[], tenThousand: Run): Result[] {
  const wallMs = (run: Run): number => (1000 * run.seconds) / run.operations;
  const both = (id: string, what: string, of: (run: Run) => number): Result => ({
    ...ratio(id, what, of(tenThousand), 'the same in a batch of 1,000', median(thousand.map(of)), 1.3),
    unit: 'ms',
  });
  return [
    both('K2-wall', 'an operation of a batch of 10,000, 1,000 at a time: time', wallMs),
    both('K2-cpu', 'an operation of a batch of 10,000, 1,000 at a time: our CPU', ownCpuMs),
  ];
}

export function size(tenThousand: Run): Result[] {
  const { name, mib } = peakOf(tenThousand);
  const largest = tenThousand.events?.largest ?? Number.NaN;
  return [
    limit('K2-history', 'the largest history of a batch of 10,000', largest, 'events', 'ten thousand', 10_000),
    limit('K2-memory', `the most memory that any process held (${name})`, mib, 'MiB', 'one GiB', 1024),
  ];
}
