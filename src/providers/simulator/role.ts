import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { StartRole } from '../../role.ts';
import { openTelemetry } from '../../telemetry/listener.ts';
import { startSimulator } from './server.ts';

/** The simulator as a role of a platform: its port from the configuration, its state in the platform's home. */
export const startSimulatorRole: StartRole = async (config, log) => {
  const data = join(config.home, 'data');
  mkdirSync(data, { recursive: true });
  const simulator = await startSimulator(
    { port: config.MILLWRIGHT_SIMULATOR_PORT, file: join(data, 'simulator.sqlite') },
    log,
  );
  const telemetry = await openTelemetry(config, log, {
    role: 'simulator',
    parts: [{ name: 'listener', check: () => fetch(`${simulator.url}/health`) }],
  });
  return {
    ended: simulator.ended,
    stop: async () => {
      await Promise.all([simulator.stop(), telemetry.close()]);
    },
  };
};
