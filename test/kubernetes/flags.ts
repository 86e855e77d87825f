import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where one Kubernetes keeps its files, listens, and whom it knows. */
export interface Layout {
  readonly directory: string;
  readonly ports: Readonly<Record<'etcd' | 'etcdPeer' | 'api' | 'controllers' | 'scheduler' | 'kwok', number>>;
  readonly tokens: { readonly admin: string; readonly controllers: string; readonly scheduler: string };
}

/** What has to be there before the first part starts. */
export async function writeLayout({ directory, tokens }: Layout): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  await mkdir(join(directory, 'certificates'));
  const secret = { mode: 0o600 };
  await writeFile(join(directory, 'service-accounts.key'), privateKey, secret);
  await writeFile(join(directory, 'service-accounts.pub'), publicKey, secret);
  const users = [
    `${tokens.admin},admin,admin,system:masters`,
    `${tokens.controllers},system:kube-controller-manager,controllers`,
    `${tokens.scheduler},system:kube-scheduler,scheduler`,
  ];
  await writeFile(join(directory, 'tokens.csv'), `${users.join('\n')}\n`, secret);
}

/** Those that a group of instances meets; the others have nothing to do here. */
const controllers = [
  'namespace-controller',
  'garbage-collector-controller',
  'resourcequota-controller',
  'serviceaccount-controller',
];

const issuer = 'https://kubernetes.default.svc';

/** The command line of each part. */
export function flagsOf({ directory, ports }: Layout) {
  const file = (name: string) => join(directory, name);
  const etcd = `http://127.0.0.1:${ports.etcd}`;
  const etcdPeer = `http://127.0.0.1:${ports.etcdPeer}`;
  const asks = (name: string) =>
    ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map((flag) => `--${flag}=${file(name)}`);
  const listens = (port: number) => ['--bind-address=127.0.0.1', `--secure-port=${port}`];
  return {
    etcd: [
      `--data-dir=${file('etcd')}`,
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      `--listen-peer-urls=${etcdPeer}`,
      `--initial-advertise-peer-urls=${etcdPeer}`,
      `--initial-cluster=default=${etcdPeer}`,
      // What a power cut would take is of no use to anybody.
      '--unsafe-no-fsync',
    ],
    apiServer: [
      `--etcd-servers=${etcd}`,
      ...listens(ports.api),
      '--advertise-address=127.0.0.1',
      `--cert-dir=${file('certificates')}`,
      '--endpoint-reconciler-type=none',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--authorization-mode=RBAC',
      `--token-auth-file=${file('tokens.csv')}`,
      `--service-account-issuer=${issuer}`,
      `--service-account-key-file=${file('service-accounts.pub')}`,
      `--service-account-signing-key-file=${file('service-accounts.key')}`,
      // It taints new nodes until a controller that is not here finds them ready.
      '--disable-admission-plugins=TaintNodesByCondition',
    ],
    controllers: [
      ...asks('controllers.kubeconfig'),
      ...listens(ports.controllers),
      `--cert-dir=${file('controllers')}`,
      `--controllers=${controllers.join(',')}`,
      '--use-service-account-credentials=true',
      `--service-account-private-key-file=${file('service-accounts.key')}`,
      '--leader-elect=false',
      '--kube-api-qps=200',
      '--kube-api-burst=400',
    ],
    scheduler: [
      ...asks('scheduler.kubeconfig'),
      ...listens(ports.scheduler),
      `--cert-dir=${file('scheduler')}`,
      '--leader-elect=false',
    ],
    kwok: [
      `--kubeconfig=${file('admin.kubeconfig')}`,
      `--config=${file('kwok.yaml')}`,
      '--manage-all-nodes=true',
      `--server-address=127.0.0.1:${ports.kwok}`,
      `--node-port=${ports.kwok}`,
    ],
  };
}
