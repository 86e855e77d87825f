import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { StartRole } from '../../role.ts';
import { startSimulator } from './server.ts';

/** The simulator as a role of a platform: its port from the configuration, its state in the platform's home. */
export const startSimulatorRole: StartRole = async (config, log) => {
  const data = join(config.home, 'data');
  mkdirSync(data, { recursive: true });
  return startSimulator({ port: config.MILLWRIGHT_SIMULATOR_PORT, file: join(data, 'simulator.sqlite') }, log);
};
