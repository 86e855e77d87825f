import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultNamespace } from '../../temporal/names.ts';
import { childEnvironment } from '../config/environment.ts';
import type { Child } from './child.ts';
import { lastWords } from './logs.ts';
import { freePorts } from './ports.ts';
import { postgresService } from './postgres.ts';
import { removeHome } from './postgres-data.ts';
import { launch, type Service } from './service.ts';
import { temporalService } from './temporal.ts';

/** One embedded part alone, for tests: nobody restarts it. */
export interface RunningPart {
  /** PostgreSQL's connection string; for Temporal, `host:port`. */
  readonly url: string;
  readonly pid: number;
  /** Ends it, also when it was killed; a home made for it goes with it. */
  stop(): Promise<void>;
}

interface PartOptions {
  /** Where its state is; without it, a temporary one that `stop` deletes. Starting again on the same home and port gives the same part, as after `kill -9`. */
  readonly home?: string;
  readonly port?: number;
}

/** Embedded PostgreSQL, without the safety of data that outlives the machine. */
export async function startPostgres({ home, port }: PartOptions = {}): Promise<RunningPart> {
  const dir = home ?? temporaryHome();
  const service = await postgresService({ home: dir, port: port ?? (await onePort()), durable: false });
  return part(service.url, await launchPatiently(service), home === undefined ? dir : undefined);
}

interface TemporalPartOptions extends PartOptions {
  readonly namespace?: string;
  readonly uiPort?: number;
  /** True by default; a part that is to survive `kill -9` says false and gives its home. */
  readonly inMemory?: boolean;
}

/** Temporal's development server, in memory unless told otherwise. */
export async function startTemporal(options: TemporalPartOptions = {}): Promise<RunningPart> {
  const { home, namespace = defaultNamespace, uiPort, inMemory = true } = options;
  const dir = home ?? temporaryHome();
  const [freePort = 0, httpPort = 0, metricsPort = 0] = await freePorts(3);
  const port = options.port ?? freePort;
  const env = childEnvironment();
  const service = await temporalService({ home: dir, port, uiPort, httpPort, metricsPort, namespace, inMemory, env });
  return part(service.address, await launchPatiently(service), home === undefined ? dir : undefined);
}

function part(url: string, child: Child, homeToRemove: string | undefined): RunningPart {
  const remove = () => {
    if (homeToRemove) removeHome(homeToRemove);
  };
  // A run that ends without `stop`, as by an error, must not leave servers behind.
  const abandon = () => {
    child.kill('SIGKILL');
    remove();
  };
  process.once('exit', abandon);
  return {
    url,
    pid: child.pid,
    stop: async () => {
      await child.stop(10_000);
      process.off('exit', abandon);
      remove();
    },
  };
}

/** What was killed a moment ago may hold its shared memory or its port for another moment. */
async function launchPatiently(service: Service): Promise<Child> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(service);
    } catch (error) {
      if (attempt === 5) throw new Error(`${error}${lastWords(service.process.log)}`, { cause: error });
    }
  }
}

const temporaryHome = (): string => mkdtempSync(join(tmpdir(), 'millwright-'));

async function onePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}
