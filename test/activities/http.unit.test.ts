import { afterAll, beforeAll, expect, test } from 'vitest';
import { request } from '../../activities/region/http.ts';
import { ProviderError } from '../../src/errors.ts';
import { type Callee, startCallee } from '../harness/callee.ts';

let callee: Callee;
beforeAll(async () => {
  callee = await startCallee();
});
afterAll(() => callee.stop());

const context = { signal: new AbortController().signal, progress: () => undefined, stillMine: async () => undefined };

/** Calls this path of a host that is allowed by its name, and has these addresses. */
function callAt(path: string, ...addresses: readonly string[]) {
  const port = callee.host.split(':').at(-1);
  const url = `http://api.inner.example:${port}${path}`;
  return request(
    'key',
    { url, method: 'GET', headers: {} },
    {
      hosts: [`*.inner.example:${port}`],
      timeoutMs: 5000,
      lookup: (_host, _options, answer) =>
        answer(
          null,
          addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        ),
    },
    context,
  );
}

test('a name that is allowed is called at the address that it has', async () => {
  expect(await callAt('/named', '127.0.0.1')).toMatchObject({ status: 200 });
  expect(callee.to('/named')).toHaveLength(1);
});

test.each([
  ['169.254.169.254'],
  ['169.254.170.2'],
  ['fe80::1'],
  ['::ffff:169.254.169.254'],
  ['fd00:ec2::254'],
  ['168.63.129.16'],
  ['127.0.0.1', '169.254.169.254'],
])('a name that is allowed does not lead to a metadata service: %s', async (...addresses) => {
  const refused = await callAt('/metadata', ...addresses).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ProviderError);
  expect(refused).toMatchObject({ providerClass: 'permanent', code: 'forbidden' });
  expect(String(refused)).toContain(addresses.at(-1));
  expect(callee.to('/metadata')).toEqual([]);
});

test('a metadata address itself is refused where it is not named', async () => {
  const call = { url: 'http://169.254.169.254/latest/meta-data/', method: 'GET' as const, headers: {} };
  const refused = request('key', call, { hosts: ['*', '*.example', '127.0.0.1'], timeoutMs: 5000 }, context);
  await expect(refused).rejects.toMatchObject({ providerClass: 'permanent', code: 'forbidden' });
});

test('a redirect is an answer, and nobody follows it', async () => {
  callee.answer('/moved', { status: 302, headers: { location: callee.urlOf('/elsewhere') } });
  await expect(callAt('/moved', '127.0.0.1')).rejects.toMatchObject({ providerClass: 'permanent' });
  expect(callee.to('/elsewhere')).toEqual([]);
});
