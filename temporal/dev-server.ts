import { searchAttributes } from './names.ts';

export interface DevServerOptions {
  readonly port: number;
  /** Without it there is no Web UI. */
  readonly uiPort?: number | undefined;
  readonly httpPort: number;
  readonly metricsPort: number;
  readonly namespace: string;
  /** Where its state is kept; in memory without it. */
  readonly databaseFile?: string | undefined;
  /** Options that no other user of the machine may see among the arguments; see `devServerEnvironment`. */
  readonly environmentFile?: string | undefined;
}

/**
 * The dev server has one shard and, by its defaults, fetches 20 tasks a second for it: every step would then wait 50 ms
 * (measured; 9 ms with these). The rest turns on what the Web UI shows of workers, and fairness between organisations.
 */
const dynamicConfig = {
  'history.transferProcessorMaxPollRPS': 2000,
  'history.timerProcessorMaxPollRPS': 2000,
  'history.visibilityProcessorMaxPollRPS': 2000,
  'frontend.WorkerHeartbeatsEnabled': true,
  'frontend.ListWorkersEnabled': true,
  'matching.enableFairness': true,
  // More events than this during one workflow task make the server end the task by force, and a large batch never goes
  // on: 3,000 operations a hundred at a time stood still with 100, the default, and took 17 s with this.
  'history.maximumBufferedEventsBatch': 100_000,
} as const;

/** Survives `kill -9` with what was acknowledged; only a failing machine can lose the last moments. */
const sqlitePragmas = { journal_mode: 'WAL', synchronous: 'NORMAL' } as const;

/** Arguments of `temporal` for the server of one machine. All its ports are ours: random ones could collide. */
export function devServerArguments(options: DevServerOptions): string[] {
  const database = options.databaseFile
    ? ['--db-filename', options.databaseFile, ...pairs('--sqlite-pragma', sqlitePragmas)]
    : [];
  const ui = options.uiPort ? ['--ui-port', String(options.uiPort), '--ui-disable-news-fetch'] : ['--headless'];
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--log-level', 'warn'],
    ...['--port', String(options.port), '--http-port', String(options.httpPort)],
    ...['--metrics-port', String(options.metricsPort), '--namespace', options.namespace],
    ...ui,
    ...(options.environmentFile ? ['--env-file', options.environmentFile] : []),
    ...database,
    ...pairs('--search-attribute', searchAttributes),
    ...pairs('--dynamic-config-value', dynamicConfig),
  ];
}

/** The content of an environment file (YAML, of which JSON is a part): lets the Web UI show encrypted payloads in clear. */
export const devServerEnvironment = (codecEndpoint: string): object => ({
  env: { default: { 'ui-codec-endpoint': codecEndpoint } },
});

const pairs = (flag: string, values: Readonly<Record<string, string | number | boolean>>): string[] =>
  Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`]);
