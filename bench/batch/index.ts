import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeHome } from '../../src/platform/postgres-data.ts';
import { killed } from '../kill.ts';
import type { GroupOptions, Result } from '../measure.ts';
import { UpPlatform } from '../up.ts';
import { large, long, remaining, short, standard, wide } from './cases.ts';
import { createEachSecond, fairness, makeNeighbour } from './fairness.ts';
import { benchFiles } from './files.ts';
import { cost, size, speed } from './goals.ts';
import { type Peer, startPeer } from './peer.ts';
import { type Run, rest, runBatch, runPeer, type Work } from './run.ts';
import { rowOf } from './table.ts';

const turns = 2;
const idleMs = 10_000;
const parts = ['files', 'speed', 'kills', 'large'] as const;
type Part = (typeof parts)[number];
/** Batches of the kills: of K1's size, killed when a tenth is done. */
const killedBatch = { id: 'K6-batch', operations: 1000, parallelLimit: 100, stepMs: 50, doneBefore: 100 };

/** K1, K2 and K8: batches on a platform as `millwright up` starts it, beside what two peers take for the same work on the same machine. */
export async function benchBatch({ full, only, note }: GroupOptions): Promise<Result[]> {
  const chosen = parts.filter((part) => only.length === 0 || only.includes(part));
  if (chosen.length === 0) throw new Error(`There is no part ${only.join(', ')}. There are: ${parts.join(', ')}.`);
  const platform = new UpPlatform(mkdtempSync(join(tmpdir(), 'millwright-batch-')));
  const peers: Peer[] = [];
  try {
    await platform.up();
    const { sql, endpoints } = platform;
    await sql`UPDATE quotas SET volumes_limit = 1000000, storage_gib_limit = 100000000`;
    await sql`CREATE DATABASE bench_dbos`;
    const [temporal, dbos] = [
      await startPeer('./temporal-peer.ts', endpoints),
      await startPeer('./dbos-peer.ts', endpoints),
    ];
    peers.push(temporal, dbos);
    const bench = new Bench(platform, { temporal, dbos });
    const measures: Readonly<Record<Part, () => Promise<Result[]>>> = {
      files: () => benchFiles(platform, note),
      speed: () => bench.speed(full),
      kills: async () => [
        ...(await killed(platform, 'control', killedBatch)),
        ...(await killed(platform, 'region.tpe-1', killedBatch)),
      ],
      large: () => bench.large(),
    };
    const results = [];
    for (const part of chosen) results.push(...(await measures[part]()));
    note('batch', bench.runs.map(rowOf));
    return results;
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
    await platform.down();
    removeHome(platform.home);
  }
}

type Peers = Readonly<Record<'temporal' | 'dbos', Peer>>;

/** Its runs in their order, and what follows from them. */
class Bench {
  readonly runs: Run[] = [];
  readonly #platform: UpPlatform;
  readonly #peers: Peers;

  constructor(platform: UpPlatform, peers: Peers) {
    this.#platform = platform;
    this.#peers = peers;
  }

  /** K1. */
  async speed(full: boolean): Promise<Result[]> {
    // Warms all of them up.
    await this.#inTurn({ ...short, operations: 200 });
    this.runs.length = 0;
    for (let turn = 0; turn < turns; turn += 1) await this.#inTurn(short);
    await this.#inTurn(long);
    for (const work of standard) await this.#batch(work);
    if (full) for (const work of remaining) await this.#withPeers(work);
    return speed(this.#of(long), this.#of(short));
  }

  /** K2, and what a batch of ten thousand costs somebody else. */
  async large(): Promise<Result[]> {
    await this.#batch(wide);
    await makeNeighbour(this.#platform);
    const idle = await createEachSecond(this.#platform, AbortSignal.timeout(idleMs));
    let busy: number[] = [];
    await this.#batch(large, async (ended) => {
      busy = await createEachSecond(this.#platform, ended);
    });
    const [run] = this.#of(large);
    if (!run) throw new Error('the large batch was not run');
    return [...cost(this.#of(wide), run), ...size(run), ...fairness(idle, busy)];
  }

  /** The batch and its peers by turns, so that what disturbs the machine disturbs them all. */
  async #inTurn(work: Work): Promise<void> {
    await this.#batch(work);
    await this.#peer('temporal', 'temporal', work);
    await this.#peer('dbos', 'dbos', work);
  }

  async #withPeers(work: Work): Promise<void> {
    if (work.graph === 'independent') await this.#inTurn(work);
    else await this.#batch(work);
    if (work.graph === 'independent' && work.stepMs === 50) await this.#peer('dbos', 'queue', work);
  }

  async #batch(work: Work, meanwhile?: (ended: AbortSignal) => Promise<void>): Promise<void> {
    this.#keep(await runBatch(this.#platform, work, meanwhile));
    await rest();
  }

  async #peer(name: keyof Peers, engine: string, work: Work): Promise<void> {
    this.#keep(await runPeer(this.#platform, this.#peers[name], engine, work));
    await rest();
  }

  #keep(run: Run): void {
    this.runs.push(run);
    console.log(JSON.stringify(rowOf(run)));
  }

  #of({ graph, operations, stepMs, parallelLimit }: Work): Run[] {
    return this.runs.filter(
      (run) =>
        run.graph === graph &&
        run.operations === operations &&
        run.stepMs === stepMs &&
        run.parallelLimit === parallelLimit,
    );
  }
}
