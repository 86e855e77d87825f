import { CoreV1Api, KubeConfig, type KubernetesObject, PatchStrategy, type V1Pod } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { until } from '../harness/until.ts';
import type { Kubernetes } from './kubernetes.ts';
import { describeOnKubernetes } from './suite.ts';

const named = (kind: string, name: string, namespace?: string) => ({
  apiVersion: kind === 'VirtualMachine' ? 'kubevirt.io/v1' : 'v1',
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
});

interface VirtualMachine extends KubernetesObject {
  readonly spec?: object;
  readonly status?: { readonly printableStatus?: string };
}

const vm = (name: string, namespace: string, runStrategy: string, more: object = {}) => ({
  ...named('VirtualMachine', name, namespace),
  spec: { runStrategy, template: { spec: { domain: { devices: {}, ...more } } } },
});

const pod = (name: string, namespace: string) => ({
  ...named('Pod', name, namespace),
  spec: { containers: [{ name: 'main', image: 'example.org/web:1' }] },
});

async function newNamespace({ objects }: Kubernetes, name: string): Promise<string> {
  await objects.create(named('Namespace', name));
  // Made by a controller, and needed by every Pod.
  await until('its service account', () =>
    objects.read(named('ServiceAccount', 'default', name)).catch(() => undefined),
  );
  return name;
}

describeOnKubernetes('the Kubernetes of the tests', (kubernetes) => {
  test('a Pod runs, and has an address', async () => {
    const { objects } = kubernetes();
    const namespace = await newNamespace(kubernetes(), 'pods');
    await objects.create(pod('web', namespace));
    const running = await until('the Pod to run', async () => {
      const { status } = await objects.read<V1Pod>(named('Pod', 'web', namespace));
      return status?.phase === 'Running' && status;
    });
    expect(running.podIP).toMatch(/^10\./);
    await objects.delete(named('Pod', 'web', namespace));
    await until('the Pod to be gone', () => isGone(kubernetes(), named('Pod', 'web', namespace)));
  });

  test('a virtual machine runs, is stopped and started again, and goes with its namespace', async () => {
    const { objects } = kubernetes();
    const namespace = await newNamespace(kubernetes(), 'machines');
    const machine = named('VirtualMachine', 'web', namespace);
    const becomes = (wanted: string) =>
      until(`a machine that is ${wanted}`, async () => {
        const { status } = await objects.read<VirtualMachine>(machine);
        return status?.printableStatus === wanted;
      });
    const wants = (runStrategy: string) => {
      const change: VirtualMachine = { ...machine, spec: { runStrategy } };
      return objects.patch(change, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
    };
    await objects.create(vm('web', namespace, 'Always'));
    await becomes('Running');
    const instance = { ...machine, kind: 'VirtualMachineInstance' };
    await objects.read(instance);
    await wants('Halted');
    await becomes('Stopped');
    expect(await isGone(kubernetes(), instance)).toBe(true);
    await wants('Always');
    await becomes('Running');
    await objects.delete(named('Namespace', namespace));
    await until('the namespace to be gone', () => isGone(kubernetes(), named('Namespace', namespace)));
  });

  test('a virtual machine that is not as its schema says is refused', async () => {
    const { objects } = kubernetes();
    await newNamespace(kubernetes(), 'wrong');
    const wrong = vm('web', 'wrong', 'Always', { cpu: { cores: 'many' } });
    await expect(objects.create(wrong)).rejects.toMatchObject({ code: 422 });
    await expect(objects.create(vm('web', 'wrong', 'Now and then'))).rejects.toMatchObject({ code: 422 });
  });

  test('a quota holds', async () => {
    const { objects } = kubernetes();
    await newNamespace(kubernetes(), 'small');
    await objects.create({ ...named('ResourceQuota', 'group', 'small'), spec: { hard: { pods: '0' } } });
    const refused = objects.create(pod('web', 'small'));
    await expect(refused).rejects.toMatchObject({ code: 403, body: expect.stringMatching(/quota/) });
  });

  test('who is not known is refused, and so is who may not', async () => {
    await newNamespace(kubernetes(), 'strange');
    const as = (token: string) => {
      const config = new KubeConfig();
      config.loadFromString(kubernetes().kubeconfig(token));
      return config.makeApiClient(CoreV1Api).listNamespacedPod({ namespace: 'strange' });
    };
    await expect(as('nobody')).rejects.toMatchObject({ code: 401 });
    await expect(as(await kubernetes().tokenOf('strange', 'default'))).rejects.toMatchObject({ code: 403 });
  });
});

const isGone = ({ objects }: Kubernetes, object: ReturnType<typeof named>): Promise<boolean> =>
  objects.read(object).then(
    () => false,
    (error: { code?: number }) => error.code === 404,
  );
