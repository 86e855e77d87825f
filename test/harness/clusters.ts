import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Cluster } from '../../src/domain/cluster.ts';
import type { JobView } from '../../src/domain/job.ts';
import { expectConsistent } from './consistency.ts';
import type { TestPlatform } from './platform.ts';

const clusterBody = (name: string, more: object = {}) => ({
  ...{ name, region: 'tpe-1', version: '1.33', image: 'debian-13' },
  controlPlane: { count: 1, flavor: 'small' },
  pools: [{ name: 'web', count: 2, flavor: 'small', labels: { tier: 'web' } }],
  ...more,
});

/** Clusters of a test's platform. */
export class Clusters {
  readonly #platform: () => TestPlatform;

  constructor(platform: () => TestPlatform) {
    this.#platform = platform;
  }

  /** Makes one, and gives its name. */
  async made(more: object = {}): Promise<string> {
    const name = `k-${randomUUID().slice(0, 8)}`;
    const job = await this.#platform().api.done('POST', '/clusters', clusterBody(name, more));
    expect(job).toMatchObject({ state: 'SUCCEEDED' });
    return name;
  }

  /** Asks for an act, and waits for the end of its job. */
  acted(name: string, act: string, body: object): Promise<JobView> {
    return this.#platform().api.done('POST', `/clusters/${name}/${act}`, body);
  }

  async view(name: string): Promise<Cluster> {
    return (await this.#platform().api.tenant('GET', `/clusters/${name}`)).body;
  }

  /** The parts of the names of the machines after the cluster's own, wherever one is known: all must know the same. */
  async machines(name: string): Promise<string[]> {
    const { simulator } = this.#platform();
    const short = (names: readonly string[]) => names.map((one) => one.slice(name.length + 1)).toSorted();
    const { machines } = await this.view(name);
    const listed = short(machines.map((machine) => machine.name));
    const vms = (await simulator.inventory()).filter((found) => found.name.startsWith(`${name}-`));
    expect(short(vms.map((vm) => vm.name))).toEqual(listed);
    expect(vms.map(({ key }) => key).toSorted()).toEqual(machines.map(({ vm }) => vm).toSorted());
    const [known] = (await simulator.clusters()).filter((cluster) => cluster.name === name);
    const nodes = machines.filter(({ role }) => role !== 'bastion');
    expect(known?.nodes.map((node) => `${node.name} ${node.key} ${node.status} ${node.version}`).toSorted()).toEqual(
      nodes.map((node) => `${node.name} ${node.vm} ${node.node} ${node.version}`).toSorted(),
    );
    return listed;
  }

  /** The jobs that were accepted for machines under a job, as `type name state`. */
  async jobsUnder(jobId: string): Promise<string[]> {
    const rows = await this.#platform().sql<{ line: string }[]>`
      SELECT type || ' ' || resource_name || ' ' || state AS line FROM jobs WHERE host_job_id = ${jobId} ORDER BY 1`;
    return rows.map(({ line }) => line);
  }

  async gone(name: string): Promise<void> {
    expect(await this.#platform().api.done('DELETE', `/clusters/${name}`)).toMatchObject({ state: 'SUCCEEDED' });
    await expectConsistent(this.#platform());
  }
}
