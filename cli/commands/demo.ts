import { randomUUID } from 'node:crypto';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { type Config, type Endpoints, readEndpoints } from '../../src/config/index.ts';
import { resourceKinds } from '../../src/domain/kinds.ts';
import type { Client, Views } from '../client.ts';
import { processContext } from '../context.ts';
import { configOf, homeOption } from '../home.ts';
import { onEndRequest } from '../interrupt.ts';
import { createSession, type Session } from '../session.ts';
import { type Column, table } from '../table.ts';
import { applyInput } from './batch.ts';

const example = fileURLToPath(new URL('../../examples/web-shop.yaml', import.meta.url));

/** Real clouds take their time; with these there is something to watch, and to kill. */
const latencyMs = { 'network.create': 600, 'volume.create': 900, 'vm.create': 2500, 'vm.delete': 800 };

interface DemoOptions {
  readonly exit?: true;
  readonly home?: string;
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('start a platform, build a small site in two regions on it, and show what now exists')
    .option('--exit', 'end when it is built, instead of keeping the platform running until Ctrl-C')
    .addOption(homeOption())
    .action(async (options: DemoOptions) => {
      const config = configOf(options);
      const running = await useOrStart(config);
      try {
        const session = createSession(processContext(), {
          output: 'table',
          project: undefined,
          organization: undefined,
          home: options.home,
        });
        await setLatency(running.endpoints);
        await build(session);
        await showWhatExists(session);
        showAddresses(session, running.endpoints, config.home);
        if (!options.exit) await running.untilEnd(session);
      } finally {
        await running.end();
      }
    });
}

interface Running {
  readonly endpoints: Endpoints;
  /** Waits for Ctrl-C, where this command is what keeps the platform running. */
  untilEnd(session: Session): Promise<void>;
  end(): Promise<void>;
}

/** The platform that runs in this home already, which is then left running, or a new one that ends with us. */
async function useOrStart(config: Config): Promise<Running> {
  const { status } = await import('../../src/platform/status.ts');
  const endpoints = status(config.home) ? readEndpoints(config.home) : undefined;
  if (endpoints) {
    say(`Using the platform that runs in ${shown(config.home)} already.`);
    return { endpoints, untilEnd: async () => undefined, end: async () => undefined };
  }
  const { startPlatform } = await import('../../src/platform/supervisor.ts');
  const { killAll } = await import('../../src/platform/leftovers.ts');
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
  say(`Starting a platform in ${shown(config.home)}: PostgreSQL, Temporal, API, workers and a simulated cloud.`);
  const platform = await startPlatform({ config, port: 0, signal: calledOff.signal }, say);
  return {
    endpoints: platform.endpoints,
    untilEnd: async (session) => {
      session.talk('\nThe platform stays up until Ctrl-C.');
      await stop.promise;
      session.talk('\nStopping.');
    },
    end: () => platform.stop(),
  };
}

async function setLatency({ simulator }: Endpoints): Promise<void> {
  await fetch(`${simulator}/settings`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ latencyMs }),
  });
}

async function build(session: Session): Promise<void> {
  session.talk(`\nApplying ${shown(example)}:`);
  const { readBatchInput } = await import('../batch-input.ts');
  const stdin = () => Promise.resolve('');
  const input = await readBatchInput(example, {
    stdin,
    values: [],
    named: [],
    environment: () => undefined,
    valueFile: undefined,
  });
  await applyInput(session, { ...input, name: shown(example) }, { idempotencyKey: randomUUID(), mode: 'watch' });
}

type Resource = Views[keyof Views];

const columns: readonly Column<Resource>[] = [
  { header: 'KIND', value: ({ kind }) => kind },
  { header: 'NAME', value: ({ name }) => name },
  { header: 'REGION', value: ({ region }) => region },
  { header: 'STATUS', value: ({ status }) => status },
  { header: 'DETAILS', value: detailsOf },
];

function detailsOf(resource: Resource): string {
  switch (resource.kind) {
    case 'vm':
      return [resource.address, resource.flavor, ...resource.volumes.map(({ name }) => `+${name}`)]
        .filter(Boolean)
        .join('  ');
    case 'network':
      return resource.cidr;
    case 'volume':
      return `${resource.sizeGib} GiB`;
    case 'bucket':
      return '';
    case 'snapshot':
      return `of ${resource.volume?.name ?? 'nothing'}`;
    case 'cluster':
      return `Kubernetes ${resource.version}, ${resource.machines.length} machines`;
    case 'bare-metal-host':
      return resource.bmcAddress;
  }
}

const listAll = (client: Client): Promise<Resource[][]> =>
  Promise.all(resourceKinds.map((kind) => client.list(kind, Number.POSITIVE_INFINITY)));

async function showWhatExists(session: Session): Promise<void> {
  const resources = (await listAll(session.client)).flat();
  session.talk('');
  await session.show(resources, () => table(columns, resources, Date.now()));
}

function showAddresses({ talk }: Session, { api, temporalUi, simulator }: Endpoints, home: string): void {
  talk(`\nAPI reference    ${api}/docs`);
  talk(`Token            ${shown(join(home, 'operator.token'))}`);
  if (temporalUi) talk(`Temporal Web UI  ${temporalUi}`);
  talk(`Simulator        ${simulator}/inventory`);
  talk('Command line     bin/millwright vm list, bin/millwright job list, bin/millwright --help');
}

const shown = (path: string): string => relative(process.cwd(), path) || '.';
const say = (line: string): void => void process.stderr.write(`${line}\n`);
