import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const version = '2.2.0';
const cache = fileURLToPath(new URL(`../../node_modules/.cache/millwright/sushy-tools-${version}`, import.meta.url));
const run = promisify(execFile);

/** Why sushy-tools (https://docs.openstack.org/sushy-tools) cannot run here; undefined where it can. Installs it on first use. */
export async function whyNoSushy(): Promise<string | undefined> {
  if (existsSync(cache)) return undefined;
  if (spawnSync('python3', ['-m', 'pip', '--version']).status !== 0) return 'there is no python3 with pip';
  const draft = `${cache}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  const quiet = ['--quiet', '--disable-pip-version-check', '--target', draft];
  try {
    await run('python3', ['-m', 'pip', 'install', ...quiet, `sushy-tools==${version}`], { timeout: 240_000 });
    renameSync(draft, cache);
    return undefined;
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    return `it cannot be installed: ${error instanceof Error ? error.message : error}`;
  }
}

export const sushyLogin = { username: 'admin', password: 'correct-horse' };

/** The ids of the systems that it has, each with two drives and two network interfaces. */
export const sushySystems = Array.from({ length: 6 }, (_, index) => `27946b59-9e44-4fa7-8e91-f3527a1ef0${90 + index}`);

/** Python. Its fake machines take 1 to 11 s for each change of power: here it is 1, for there are many. */
const configOf = (directory: string): string => `
import bcrypt, random
random.randint = lambda low, high: low
with open('${directory}/users', 'w') as users:
    users.write('${sushyLogin.username}:' + bcrypt.hashpw(b'${sushyLogin.password}', bcrypt.gensalt(4)).decode())
SYSTEMS = ${JSON.stringify(sushySystems)}
SUSHY_EMULATOR_AUTH_FILE = '${directory}/users'
SUSHY_EMULATOR_STATE_DIR = '${directory}'
SUSHY_EMULATOR_LISTEN_IP = '127.0.0.1'
SUSHY_EMULATOR_LISTEN_PORT = 0
SUSHY_EMULATOR_FAKE_SYSTEMS = [
    {'uuid': uuid, 'name': 'fake-%d' % n, 'power_state': 'Off', 'external_notifier': False,
     'nics': [{'mac': '00:5C:52:31:3A:%d0' % n, 'ip': '172.22.0.1'}, {'mac': '00:5C:52:31:3A:%d1' % n, 'ip': '172.22.0.2'}]}
    for n, uuid in enumerate(SYSTEMS)]
SUSHY_EMULATOR_STORAGE = {
    uuid: [{'Id': '1', 'Name': 'Controller', 'StorageControllers': [], 'Drives': ['disk-1', 'disk-2']}]
    for uuid in SYSTEMS}
SUSHY_EMULATOR_DRIVES = {
    (uuid, '1'): [{'Id': d, 'Name': d, 'CapacityBytes': 899527000000, 'Protocol': 'SAS'} for d in ['disk-1', 'disk-2']]
    for uuid in SYSTEMS}
`;

/** The emulator of OpenStack's own tests, its machines fake and its Redfish its own. Gives its address. */
export async function startSushy(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'millwright-sushy-'));
  await writeFile(join(directory, 'config.py'), configOf(directory));
  const program = 'import sys; from sushy_tools.emulator.main import main; sys.exit(main())';
  const { PATH } = process.env;
  const child = spawn('python3', ['-c', program, '--fake', '--config', join(directory, 'config.py')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH, PYTHONPATH: cache, PYTHONDONTWRITEBYTECODE: '1', TMPDIR: directory },
  });
  const exited = once(child, 'exit');
  const said: string[] = [];
  const lines = createInterface(child.stderr);
  const url = await new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      said.push(line);
      const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
      if (found) resolve(found);
    });
    exited.then(() => reject(new Error(`sushy-emulator ended: ${said.join('\n')}`)));
  });
  return {
    url,
    close: async () => {
      child.kill('SIGTERM');
      await exited;
      await rm(directory, { recursive: true });
    },
  };
}
