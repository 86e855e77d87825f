import { once } from 'node:events';
import { createAdaptorServer, type HttpBindings, type ServerType } from '@hono/node-server';
import { Hono } from 'hono';
import { MillwrightError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { RunningRole } from '../../role.ts';
import { adminRoutes } from './admin-routes.ts';
import { createCallLog } from './calls.ts';
import { clusterRoutes } from './cluster-routes.ts';
import { type ClusterStore, openClusters } from './clusters.ts';
import { openDatabase } from './database.ts';
import { openFaults } from './faults.ts';
import { hostAdminRoutes, hostRoutes } from './host-routes.ts';
import { openHosts } from './hosts.ts';
import { type Observe, openObserver } from './observe.ts';
import { providerRoutes } from './provider-routes.ts';
import { refusal, send } from './reply.ts';
import { type Latency, openSettings, type SettingsStore } from './settings.ts';
import { openStore, type Store } from './store.ts';

interface SimulatorOptions {
  /** 0 takes one that is free. */
  readonly port: number;
  readonly file: string;
  /** What a new file starts with; once it exists, its own settings hold. */
  readonly latencyMs?: Latency;
}

export interface Simulator extends RunningRole {
  readonly url: string;
}

const host = '127.0.0.1';
/** Every call is answered at once, but for those that a fault holds: no other is still open after this time. */
const graceMs = 100;

/** Starts the pretend cloud; nothing but this machine can reach it. Throws `unavailable` for a port or file in use. */
export async function startSimulator(options: SimulatorOptions, log: Logger): Promise<Simulator> {
  const database = openDatabase(options.file);
  try {
    const settings = openSettings(database, options.latencyMs ?? {});
    const hosts = openHosts(database, settings);
    const store = openStore(database, settings);
    const clusters = openClusters(database, settings, store);
    const observe = openObserver(database);
    const app = createApp(store, observe, clusters, hosts, openFaults(database), settings, log);
    const server = createAdaptorServer({ fetch: app.fetch });
    const url = await listen(server, options.port);
    log.info({ url, file: options.file }, 'simulator is ready');

    const ended = Promise.withResolvers<void>();
    // Whoever started it may not look at `ended`: that alone is no reason for the process to die.
    ended.promise.catch((error) => log.error({ err: error }, 'the simulator can take no more calls'));
    server.on('error', ended.reject);
    let stopping: Promise<void> | undefined;
    const stop = async () => {
      await close(server);
      database.close();
      ended.resolve();
    };
    return {
      url,
      ended: ended.promise,
      stop: () => {
        stopping ??= stop();
        return stopping;
      },
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

function createApp(
  store: Store,
  observe: Observe,
  clusters: ClusterStore,
  hosts: ReturnType<typeof openHosts>,
  faults: ReturnType<typeof openFaults>,
  settings: SettingsStore,
  log: Logger,
) {
  const app = new Hono<{ Bindings: HttpBindings }>();
  const calls = createCallLog();
  app.route('/', adminRoutes(store, faults, settings, calls));
  app.route('/hosts', hostAdminRoutes(hosts));
  app.get('/clusters', (context) => context.json({ clusters: clusters.list() }));
  app.route('/v1/regions', providerRoutes(store, observe, faults, calls));
  app.route('/v1/regions', clusterRoutes(clusters, faults, calls));
  app.route('/v1/regions', hostRoutes(hosts, faults, calls));

  app.onError((error, context) => {
    if (context.env.outgoing.destroyed) log.debug({ err: error }, 'the client went away');
    else if (!(error instanceof MillwrightError)) log.error({ err: error, path: context.req.path }, 'a call failed');
    return send(context, refusal(error));
  });
  // Not the code `not_found`, which is for a resource: a driver must not take a wrong path for a resource that is gone.
  app.notFound((context) =>
    send(
      context,
      refusal(new MillwrightError('invalid', `There is no ${context.req.method} ${context.req.path} here.`), 404),
    ),
  );
  return app;
}

async function listen(server: ServerType, port: number): Promise<string> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new MillwrightError(
      'unavailable',
      `The simulator cannot listen on ${host}:${port}: ${cause instanceof Error ? cause.message : cause}. ` +
        'Stop what has the port, or set MILLWRIGHT_SIMULATOR_PORT to another one.',
      { cause },
    );
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error(`listens on ${address}, which has no port`);
  return `http://${host}:${address.port}`;
}

/** Takes no new connection, lets calls in flight finish, then cuts what is left: what hangs, and what is idle. */
async function close(server: ServerType): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const cut = setTimeout(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
  }, graceMs);
  await closed;
  clearTimeout(cut);
}
