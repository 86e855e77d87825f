import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { ProviderError } from '../../src/errors.ts';
import { openDriver } from '../../src/providers/registry.ts';
import { watchStandstill } from '../../src/standstill.ts';

/** Keeps this process from everything, as a freeze does. */
const freeze = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

test('a process that was frozen knows it before it does anything else', () => {
  const watch = watchStandstill(100);
  expect(watch.count()).toBe(0);
  freeze(600);
  expect(watch.count()).toBe(1);
  expect(watch.count()).toBe(1);
  watch.stop();
});

test('a create whose lookup outlasts a freeze is not sent: what it was to make may have been undone meanwhile', async () => {
  const asked: string[] = [];
  let frozen = false;
  const provider = createServer((request, response) => {
    asked.push(request.method ?? '');
    frozen = true;
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"code":"not_found","message":"none"}');
  });
  await new Promise<void>((listening) => void provider.listen(0, listening));
  const endpoint = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  const driver = openDriver('simulator', { region: 'tpe-1', endpoint, timeoutMs: 1000 });
  const stillMine = () => {
    if (frozen) throw new ProviderError('transient', 'unavailable', 'The worker stood still.');
  };
  const call = { signal: new AbortController().signal, progress: () => undefined, stillMine };
  const made = driver.storage.ensure('key', { name: 'late', sizeGib: 1 }, call);
  await expect(made).rejects.toMatchObject({ providerClass: 'transient' });
  expect(asked).toEqual(['GET']);
  provider.close();
});
