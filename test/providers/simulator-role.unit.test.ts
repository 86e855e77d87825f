import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../src/config/index.ts';
import { createLogger } from '../../src/log.ts';
import { startSimulatorRole } from '../../src/providers/simulator/role.ts';

test('as a role it keeps its state in the home of the platform, and ends when it is stopped', async () => {
  const home = join(await mkdtemp(join(tmpdir(), 'millwright-simulator-')), 'home');
  onTestFinished(() => rm(home, { recursive: true }));
  const config = readConfig({ MILLWRIGHT_HOME: home, MILLWRIGHT_SIMULATOR_PORT: '0' });
  const role = await startSimulatorRole(config, createLogger('simulator', 'silent'));
  await expect(startSimulatorRole(config, createLogger('simulator', 'silent'))).rejects.toThrow(
    join(home, 'data', 'simulator.sqlite'),
  );
  await role.stop();
  await role.stop();
  await role.ended;
});
