import { randomUUID } from 'node:crypto';
import type { Api } from './api.ts';
import { until } from './until.ts';

interface Host {
  readonly id: string;
  readonly name: string;
  readonly region: string;
}

/** An operator's compute host, once the API knows that new VMs of its region are placed. */
export async function computeHost(api: Api, body: object = {}, query = ''): Promise<Host> {
  const name = `host-${randomUUID().slice(0, 8)}`;
  const host = { name, region: 'tpe-1', vcpus: 256, memoryMib: 1_048_576, diskGib: 65_536, ...body };
  const answer = await api.request('POST', '/api/ops/v1/compute-hosts', host);
  if (answer.status !== 201) throw new Error(`compute host: ${answer.status} ${JSON.stringify(answer.body)}`);
  const { region } = host;
  // There is no such image: what is asked for is refused, and says what of it.
  const refused = { name, region, flavor: 'small', image: 'none', placement: { labels: { any: 'thing' } } };
  await until(`VMs of ${region} to be placed`, async () => {
    const { body } = await api.tenant('POST', `/vms${query}`, refused);
    return body.errors.every(({ pointer }: { pointer: string }) => pointer !== '/placement');
  });
  return answer.body;
}
