import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CoreV1Api,
  HttpMethod,
  IsomorphicFetchHttpLibrary,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  loadAllYaml,
  PatchStrategy,
  RequestContext,
  type V1Node,
} from '@kubernetes/client-node';
import { freePorts } from '../../src/platform/ports.ts';
import { until } from '../harness/until.ts';
import type { Parts } from './build.ts';
import { flagsOf, type Layout, writeLayout } from './flags.ts';
import { type Running, startProcess } from './process.ts';

/** A Kubernetes of one's own: its API server, controllers and scheduler real, its nodes and what runs on them kwok's. */
export interface Kubernetes {
  readonly url: string;
  /** As somebody who may do everything. */
  readonly admin: KubeConfig;
  readonly objects: KubernetesObjectApi;
  /** A kubeconfig, as text, for whoever has this token. */
  kubeconfig(token: string): string;
  /** A token of a service account that is there, good for an hour. */
  tokenOf(namespace: string, serviceAccount: string): Promise<string>;
  /** Applies every object of a YAML file. */
  apply(file: string): Promise<void>;
  /** Ends every process, and removes what they wrote. */
  stop(): Promise<void>;
}

/** Starts one in a directory of its own and on free ports: with KubeVirt's API, and a node that takes Pods. */
export async function startKubernetes(parts: Parts): Promise<Kubernetes> {
  const directory = await mkdtemp(join(tmpdir(), 'millwright-kubernetes-'));
  const processes: Running[] = [];
  const run = (name: string, program: string, commandLine: readonly string[]) => {
    const running = startProcess(program, commandLine, join(directory, `${name}.log`));
    processes.push(running);
    return running;
  };
  const stop = async () => {
    // Whoever asks another ends before it does.
    for (const running of processes.toReversed()) await running.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    return { ...(await startIn(directory, parts, run)), stop };
  } catch (error) {
    const said = processes.flatMap(({ lastLines }) => lastLines() ?? []);
    await stop();
    throw new Error([error instanceof Error ? error.message : String(error), ...said].join('\n'), { cause: error });
  }
}

type Run = (name: string, program: string, commandLine: readonly string[]) => Running;

async function startIn(
  directory: string,
  { cluster, kwok, stages }: Parts,
  run: Run,
): Promise<Omit<Kubernetes, 'stop'>> {
  const layout = await newLayout(directory);
  const { tokens, ports } = layout;
  const flags = flagsOf(layout);
  run('etcd', cluster, ['etcd', ...flags.etcd]);
  const { alive } = run('kube-apiserver', cluster, ['kube-apiserver', ...flags.apiServer]);
  // It makes its certificate itself.
  const certificate = await until("the API server's certificate", () =>
    alive(readFile(join(directory, 'certificates/apiserver.crt')).catch(() => undefined)),
  );
  const url = `https://127.0.0.1:${ports.api}`;
  const kubeconfig = (token: string) => kubeconfigOf(url, certificate, token);
  const admin = new KubeConfig();
  admin.loadFromString(kubeconfig(tokens.admin));
  await until('the API server', () => alive(isThere(admin, '/readyz')));

  for (const [name, token] of Object.entries(tokens))
    await writeFile(join(directory, `${name}.kubeconfig`), kubeconfig(token), { mode: 0o600 });
  run('kube-controller-manager', cluster, ['kube-controller-manager', ...flags.controllers]);
  run('kube-scheduler', cluster, ['kube-scheduler', ...flags.scheduler]);

  const objects = KubernetesObjectApi.makeApiClient(admin);
  const apply = async (file: string) => {
    for (const object of loadAllYaml(await readFile(file, 'utf8')) as KubernetesObject[])
      await objects.patch(object, undefined, undefined, 'tests', true, PatchStrategy.ServerSideApply);
  };
  await apply(join(import.meta.dirname, 'kubevirt/crds.yaml'));
  // kwok looks once for the kinds that its stages name.
  await until("KubeVirt's API", () => isThere(admin, '/openapi/v3/apis/kubevirt.io/v1'));
  const files = [...stages, join(import.meta.dirname, 'kubevirt/stages.yaml')];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  await writeFile(join(directory, 'kwok.yaml'), texts.join('\n---\n'));
  run('kwok', kwok, flags.kwok);
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'kwok-0' } };
  await objects.create(node);
  await until('a node that is ready', async () => {
    const { status } = await objects.read<V1Node>(node);
    return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
  });
  const tokenOf = async (namespace: string, name: string): Promise<string> => {
    const body = { spec: { audiences: [], expirationSeconds: 3600 } };
    const { status } = await admin
      .makeApiClient(CoreV1Api)
      .createNamespacedServiceAccountToken({ name, namespace, body });
    return status?.token ?? '';
  };
  return { url, admin, objects, kubeconfig, tokenOf, apply };
}

async function newLayout(directory: string): Promise<Layout> {
  const [etcd = 0, etcdPeer = 0, api = 0, controllers = 0, scheduler = 0, kwok = 0] = await freePorts(6);
  const token = () => randomBytes(16).toString('hex');
  const layout = {
    directory,
    ports: { etcd, etcdPeer, api, controllers, scheduler, kwok },
    tokens: { admin: token(), controllers: token(), scheduler: token() },
  };
  await writeLayout(layout);
  return layout;
}

/** JSON, which is YAML too. */
const kubeconfigOf = (server: string, certificate: Buffer, token: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': certificate.toString('base64') } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });

async function isThere(config: KubeConfig, path: string): Promise<boolean> {
  const context = new RequestContext(`${config.getCurrentCluster()?.server}${path}`, HttpMethod.GET);
  await config.applySecurityAuthentication(context);
  return await new IsomorphicFetchHttpLibrary()
    .send(context)
    .toPromise()
    .then(
      ({ httpStatusCode }) => httpStatusCode === 200,
      () => false,
    );
}
