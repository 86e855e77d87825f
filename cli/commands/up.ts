import { Command, InvalidArgumentError } from 'commander';
import type { Config, Endpoints } from '../../src/config/index.ts';
import { configOf, homeOption } from '../home.ts';
import { onEndRequest } from '../interrupt.ts';

interface UpOptions {
  readonly port?: number;
  readonly detach?: true;
  readonly home?: string;
}

export function upCommand(): Command {
  return new Command('up')
    .description('start the whole platform on this machine and keep it running, until Ctrl-C')
    .option('--port <number>', 'first port of a block of seven, or 0 for free ones (7400 by default)', parsePort)
    .option('--detach', 'return when the platform is ready, and leave it running')
    .addOption(homeOption())
    .action(async (options: UpOptions) => {
      // A reader that is gone takes the talk with it, not the platform: signals end that in order.
      for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
      const config = configOf(options);
      if (options.detach) await upDetached(config, options.port);
      else await upHere(config, options.port);
    });
}

/** Supervises in this process. Under `--detach` the waiting command is told of it all on the IPC channel. */
async function upHere(config: Config, port: number | undefined): Promise<void> {
  const { startPlatform } = await import('../../src/platform/supervisor.ts');
  const { killAll } = await import('../../src/platform/leftovers.ts');
  const { tellWaiting } = await import('../../src/platform/detached.ts');
  const report = process.send ? (line: string) => tellWaiting({ line }) : talk;
  const stop = Promise.withResolvers<void>();
  const calledOff = new AbortController();
  onEndRequest(
    () => {
      calledOff.abort();
      stop.resolve();
    },
    () => {
      killAll(config.home);
      process.exit(130);
    },
  );
  try {
    const platform = await startPlatform({ config, port, signal: calledOff.signal }, report);
    if (process.send) tellWaiting({ ready: true });
    else printAddresses(platform.endpoints, config.home);
    await stop.promise;
    await platform.stop();
  } catch (error) {
    tellWaiting({ failed: error instanceof Error ? error.message : String(error) });
    if (!calledOff.signal.aborted) throw error;
  }
  process.exit(0);
}

async function upDetached(config: Config, port: number | undefined): Promise<void> {
  const { startDetached } = await import('../../src/platform/detached.ts');
  const { readEndpoints } = await import('../../src/config/index.ts');
  await startDetached(config.home, port, talk);
  const endpoints = readEndpoints(config.home);
  if (endpoints) printAddresses(endpoints, config.home);
}

const talk = (line: string): void => void process.stderr.write(`${line}\n`);

function printAddresses(endpoints: Endpoints, home: string): void {
  const lines = [
    ['API', endpoints.api],
    ['API reference', `${endpoints.api}/docs`],
    ...(endpoints.temporalUi ? [['Temporal Web UI', endpoints.temporalUi]] : []),
    ['Token', `${home}/operator.token`],
  ];
  process.stdout.write(lines.map(([name = '', value = '']) => `${name.padEnd(16)} ${value}\n`).join(''));
}

function parsePort(value: string): number {
  const port = Number(value);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a port from 0 to 65535.');
}
