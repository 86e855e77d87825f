import type { Sql } from 'postgres';
import { candidate, candidates } from '../db/queries/compute-hosts.ts';
import { type Candidate, measures, type Room } from '../domain/candidate.ts';

const freshMs = 500;

/**
 * The compute hosts in memory. A look at the database brings those that changed since the one before, so that other
 * workers' claims come to be seen; the database alone decides whether a claim is made.
 */
export class Hosts {
  readonly #sql: Sql;
  #byId = new Map<string, Candidate>();
  #horizon: string | null = null;
  #seenAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  get each(): Iterable<Candidate> {
    return this.#byId.values();
  }

  /** Looks at what changed, unless somebody just did. */
  async refresh(): Promise<void> {
    if (performance.now() - this.#seenAt < freshMs) return;
    this.#looking ??= this.#look(this.#horizon).finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  /** All anew, without those that are gone. */
  async reload(): Promise<void> {
    await this.#look(null);
  }

  async #look(since: string | null): Promise<void> {
    const { hosts, horizon } = await candidates(this.#sql, since);
    if (since === null) this.#byId = new Map();
    for (const host of hosts) this.#byId.set(host.id, host);
    this.#horizon = horizon;
    this.#seenAt = performance.now();
  }

  /** One anew, that was not what it seemed to be. */
  async reread(id: string): Promise<void> {
    const host = await candidate(this.#sql, id);
    if (host) this.#byId.set(id, host);
    else this.#byId.delete(id);
  }

  /** Counts as claimed what is being claimed: who chooses meanwhile chooses another. */
  assume(id: string, room: Room, sign: 1 | -1 = 1): void {
    const host = this.#byId.get(id);
    if (!host) return;
    const used = { ...host.used };
    for (const measure of measures) used[measure] += sign * room[measure];
    this.#byId.set(id, { ...host, used });
  }
}
