import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { parseNetwork } from '../../src/addresses.ts';
import { faultOfUrl, mayConnect, resolveDestination } from '../../src/webhooks/destination.ts';
import { send } from '../../src/webhooks/send.ts';

const strict = { allowNetworks: [], allowHttp: false };
const networks = (...list: string[]) => list.map((text) => parseNetwork(text) ?? expect.fail(text));
const never = new AbortController().signal;

test.each([
  '127.0.0.1',
  '127.8.8.8',
  '0.0.0.0',
  '10.1.2.3',
  '172.16.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '100.100.100.200',
  '169.254.169.254',
  '168.63.129.16',
  '192.0.0.192',
  '192.0.2.1',
  '198.18.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:a9fe:a9fe',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::1',
  '2002:7f00:1::',
  '2001:0:4136:e378::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fec0::1',
  'ff02::1',
  '2001:db8::1',
  'nonsense',
])('%s is not reached', (address) => {
  expect(mayConnect(address, [])).toBe(false);
});

test.each(['1.1.1.1', '93.184.215.14', '2606:4700:4700::1111', '::ffff:1.1.1.1'])('%s is public', (address) => {
  expect(mayConnect(address, [])).toBe(true);
});

test('a network that the operator allows is reached, and no more than that', () => {
  const allowed = networks('10.1.0.0/16', 'fd00:1::/32');
  expect(mayConnect('10.1.2.3', allowed)).toBe(true);
  expect(mayConnect('::ffff:10.1.2.3', allowed)).toBe(true);
  expect(mayConnect('fd00:1::5', allowed)).toBe(true);
  expect(mayConnect('10.2.2.3', allowed)).toBe(false);
});

test.each([
  ['not a url', 'Expected a URL'],
  ['http://example.com/', 'Expected https, not "http"'],
  ['ftp://example.com/', 'Expected https'],
  ['https://user:secret@example.com/', 'without user name and password'],
  ['https://127.0.0.1/', 'not one that webhooks may reach'],
  ['https://2130706433/', '127.0.0.1'],
  ['https://0x7f.1/', '127.0.0.1'],
  ['https://[::ffff:169.254.169.254]/latest/meta-data', 'not one that webhooks may reach'],
  ['https://[::1]:8443/', 'not one that webhooks may reach'],
  ['https://localhost/', 'localhost'],
  ['https://api.localhost./', 'localhost'],
])('the URL %s is refused', (url, why) => {
  expect(faultOfUrl(url, strict)).toContain(why);
});

test('a name that leads to loopback is refused when it is connected to, whoever says so', async () => {
  await expect(resolveDestination(new URL('https://localhost/'), strict, never)).rejects.toThrow(
    'has the address 127.0.0.1',
  );
  expect(
    await resolveDestination(
      new URL('http://localhost/'),
      { allowNetworks: networks('127.0.0.0/8'), allowHttp: true },
      never,
    ),
  ).toEqual([{ address: '127.0.0.1', family: 4 }]);
});

test('nothing is sent where the destination is refused', async () => {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const host of ['localhost', '127.0.0.1', '[::ffff:127.0.0.1]']) {
    const options = { rules: { allowNetworks: [], allowHttp: true }, timeoutMs: 1000, signal: never };
    const outcome = await send(`http://${host}:${port}/`, {}, '{}', options);
    expect(outcome).toMatchObject({ status: null, error: expect.stringContaining('not one that webhooks may reach') });
  }
  expect(asked).toBe(0);
  server.close();
});
