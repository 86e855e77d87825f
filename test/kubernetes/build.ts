import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The parts of a real Kubernetes, built from source: `cluster` (etcd and the control plane in one program) and `kwok`, which plays nodes and what runs on them. Built once, into a cache outside the clone, under the
 * hash of everything that decides what comes out.
 */
export interface Parts {
  readonly cluster: string;
  readonly kwok: string;
  /** Of kwok's stages: what a node and a Pod go through. */
  readonly stages: readonly string[];
}

const sources = join(import.meta.dirname, 'go');
const inputs = ['cluster/go.mod', 'cluster/go.sum', 'cluster/main.go', 'kwok/go.mod', 'kwok/go.sum'];
/** In kwok's module. `fast`: nothing takes longer than it must. */
const stageFiles = [
  'node/fast/node-initialize.yaml',
  'node/heartbeat-with-lease/node-heartbeat-with-lease.yaml',
  'pod/fast/pod-ready.yaml',
  'pod/fast/pod-complete.yaml',
  'pod/fast/pod-delete.yaml',
];

export const hasGo = (): boolean => spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0;

/** Gives the parts, built where the cache does not have them: some five minutes on two cores. */
export async function buildParts(tell: (line: string) => void = () => {}): Promise<Parts> {
  const cache = process.env.MILLWRIGHT_TEST_CACHE ?? join(homedir(), '.cache', 'millwright');
  const home = join(
    cache,
    'kubernetes',
    await hashOf([...inputs.map((file) => join(sources, file)), import.meta.filename]),
  );
  const parts = {
    cluster: join(home, 'cluster'),
    kwok: join(home, 'kwok'),
    stages: stageFiles.map((file) => join(home, 'stages', file)),
  };
  if (await isThere(home)) return parts;

  tell(`Building Kubernetes for the tests into ${home}; it takes some minutes, once.`);
  await mkdir(join(cache, 'kubernetes'), { recursive: true });
  const unfinished = await mkdtemp(`${home}.`);
  try {
    await buildInto(unfinished);
    // Whole or not at all; another run may have been first, with the same.
    await rename(unfinished, home).catch(async (error: unknown) => {
      if (!(await isThere(home))) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return parts;
}

async function buildInto(directory: string): Promise<void> {
  const version = /k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\d+)/.exec(
    await readFile(join(sources, 'cluster/go.mod'), 'utf8'),
  );
  if (!version) throw new Error('cluster/go.mod does not say which k8s.io/kubernetes');
  const [, git, major, minor] = version;
  const stamp = Object.entries({ gitVersion: git, gitMajor: major, gitMinor: minor })
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ');
  await go('cluster', ['build', '-trimpath', '-ldflags', `-s -w ${stamp}`, '-o', join(directory, 'cluster'), '.']);
  await go('kwok', [
    'build',
    '-trimpath',
    '-ldflags',
    '-s -w',
    '-o',
    join(directory, 'kwok'),
    'sigs.k8s.io/kwok/cmd/kwok',
  ]);
  const module = (await go('kwok', ['list', '-m', '-f', '{{.Dir}}', 'sigs.k8s.io/kwok'])).trim();
  for (const file of stageFiles) await cp(join(module, 'kustomize/stage', file), join(directory, 'stages', file));
}

/** Gives what it wrote to its output. */
function go(folder: string, commandLine: readonly string[]): Promise<string> {
  // Without C, so that it needs no compiler beside Go, and runs wherever it is put.
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false' };
  return new Promise((resolve, reject) => {
    const child = spawn('go', commandLine, { cwd: join(sources, folder), env });
    let output = '';
    let complaints = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`go ${commandLine[0]} in test/kubernetes/go/${folder} ended with ${code}:\n${complaints}`));
    });
  });
}

async function hashOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file)).update('\0');
  return hash.digest('hex').slice(0, 16);
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

if (import.meta.main) {
  const { cluster, kwok } = await buildParts((line) => process.stdout.write(`${line}\n`));
  process.stdout.write(`${cluster}\n${kwok}\n`);
}
