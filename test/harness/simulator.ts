import type { SimulatedCluster } from '../../src/providers/simulator/cluster-wire.ts';
import { until } from './until.ts';

/** The simulator's admin side, as a test uses it. */
export class Simulator {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  async inventory(): Promise<
    { kind: string; key: string; name: string; region: string; state: string; host?: string; keys?: string[] }[]
  > {
    const { resources } = (await (await fetch(`${this.url}/inventory`)).json()) as { resources: [] };
    return resources;
  }

  async clusters(): Promise<SimulatedCluster[]> {
    const { clusters } = (await (await fetch(`${this.url}/clusters`)).json()) as { clusters: [] };
    return clusters;
  }

  /** `kind name` of everything there is, sorted. */
  async names(): Promise<string[]> {
    return (await this.inventory()).map(({ kind, name }) => `${kind} ${name}`).toSorted();
  }

  /** Gives the fault's id. */
  async fault(fault: object): Promise<string> {
    const answer = await fetch(`${this.url}/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(fault),
    });
    if (!answer.ok) throw new Error(`the simulator refused the fault: ${await answer.text()}`);
    return ((await answer.json()) as { id: string }).id;
  }

  /** Puts one host of metal into a region, at this address. */
  async host(region: string, address: string): Promise<void> {
    const body = JSON.stringify({ region, rack: 'rack-a', count: 1, address });
    const answer = await fetch(`${this.url}/hosts`, { method: 'POST', body });
    if (!answer.ok) throw new Error(`the simulator refused the host: ${await answer.text()}`);
  }

  /** Waits until a fault meets a call that names this: the provider has the call. */
  async hit(name: string): Promise<void> {
    await until(`a fault to meet ${name}`, async () => {
      const { faults } = (await (await fetch(`${this.url}/faults`)).json()) as {
        faults: { name?: string; hits: number }[];
      };
      return faults.some((fault) => fault.name === name && fault.hits > 0);
    });
  }

  /** Has a bucket hold so many objects. */
  async objects(region: string, bucket: string, objects: number): Promise<void> {
    const answer = await fetch(`${this.url}/objects`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ region, bucket, objects }),
    });
    if (!answer.ok) throw new Error(`the simulator refused the objects: ${await answer.text()}`);
  }

  async removeFault(id: string): Promise<void> {
    await fetch(`${this.url}/faults/${id}`, { method: 'DELETE' });
  }

  /** Removes what has this name behind everybody's back, as an operator does by hand. */
  async removeByHand(name: string): Promise<void> {
    for (const { kind, key, region } of (await this.inventory()).filter((resource) => resource.name === name)) {
      const answer = await fetch(`${this.url}/v1/regions/${region}/${kind}s/${key}`, { method: 'DELETE' });
      if (!answer.ok) throw new Error(`the simulator did not remove ${kind} ${name}: ${await answer.text()}`);
    }
  }

  async clearFaults(): Promise<void> {
    await fetch(`${this.url}/faults`, { method: 'DELETE' });
  }

  async calls(): Promise<
    { at: string; operation: string; key: string; name: string; status: number | null; fault: string | null }[]
  > {
    const { calls } = (await (await fetch(`${this.url}/calls`)).json()) as { calls: [] };
    return calls;
  }

  async clearCalls(): Promise<void> {
    await fetch(`${this.url}/calls`, { method: 'DELETE' });
  }

  async settings(settings: object): Promise<void> {
    const answer = await fetch(`${this.url}/settings`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(settings),
    });
    if (!answer.ok) throw new Error(`the simulator refused the settings: ${await answer.text()}`);
  }
}
