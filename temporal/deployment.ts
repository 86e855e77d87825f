import { setTimeout as pause } from 'node:timers/promises';
import { type Client, isGrpcServiceError } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { MillwrightError } from '../src/errors.ts';
import type { Logger } from '../src/log.ts';
import { liveWorkers } from './workers.ts';

/** The control workers of a namespace, all builds of them (Temporal's worker deployments). */
export const deploymentName = 'millwright';

const grpc = { notFound: 5, failedPrecondition: 9, unimplemented: 12 };
const failedWith = (error: unknown, ...codes: readonly number[]): boolean =>
  isGrpcServiceError(error) && codes.includes(error.code);

/** Temporal knows of a build once its first worker polls. */
const knownWithinMs = 30_000;
const lookEveryMs = 10_000;
const unheardMs = 15_000;

/** How the builds of the control worker stand to one another. */
interface Builds {
  readonly current: string | undefined;
  /** Milliseconds since 1970: when it became the current one. */
  readonly currentSince: number;
  /** Milliseconds since 1970, by build: when its first worker came. */
  readonly firstSeen: ReadonlyMap<string, number>;
  readonly conflictToken: Uint8Array | null | undefined;
}

/**
 * Sees to it that workflows go to the build that they should: to the newest, and to an older one only while no worker of
 * a newer lives. All workflows of a namespace run on one build at a time, so that what one build has written no older one
 * is asked to replay. Resolves when this build, or a newer one, is current; goes on looking until the signal.
 */
export async function takeOver(client: Client, build: string, signal: AbortSignal, log: Logger): Promise<void> {
  await untilKnown(client, build, signal);
  await look();
  void keepLooking();

  async function look(): Promise<void> {
    const builds = await readBuilds(client);
    if (!builds || builds.current === build || !(await shouldTakeOver(client, builds, build))) return;
    await makeCurrent(client, build, builds.conflictToken);
    log.info({ build, before: builds.current }, 'workflows go to this build from now on');
  }

  async function keepLooking(): Promise<void> {
    while (!signal.aborted) {
      await pause(lookEveryMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await look().catch((error: unknown) => log.debug({ err: error }, 'could not look at the builds; it tries again'));
    }
  }
}

async function untilKnown(client: Client, build: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + knownWithinMs;
  while (!(await readBuilds(client))?.firstSeen.has(build)) {
    signal.throwIfAborted();
    if (Date.now() > deadline) {
      throw new MillwrightError(
        'unavailable',
        `Temporal does not know the build ${build} of this control worker after ${knownWithinMs / 1000} s. Start it again.`,
      );
    }
    await pause(50);
  }
}

async function shouldTakeOver(
  client: Client,
  { current, currentSince, firstSeen }: Builds,
  build: string,
): Promise<boolean> {
  if (current === undefined) return true;
  if ((firstSeen.get(build) ?? 0) > (firstSeen.get(current) ?? 0)) return true;
  // Whoever has just come has not been heard of yet: heartbeats are seconds apart.
  if (Date.now() - currentSince < unheardMs) return false;
  const workers = await liveWorkers(client);
  return !workers.some(
    ({ role, status, version }) => role === 'control' && status === 'running' && version.endsWith(`+${current}`),
  );
}

/** Undefined where no worker of any build has come yet. */
async function readBuilds(client: Client): Promise<Builds | undefined> {
  const { namespace } = client.options;
  try {
    const { workerDeploymentInfo: info, conflictToken } = await client.workflowService.describeWorkerDeployment({
      namespace,
      deploymentName,
    });
    return {
      current: info?.routingConfig?.currentDeploymentVersion?.buildId || undefined,
      currentSince: toMs(info?.routingConfig?.currentVersionChangedTime),
      firstSeen: new Map(info?.versionSummaries?.flatMap(seenOf)),
      conflictToken,
    };
  } catch (cause) {
    if (failedWith(cause, grpc.notFound)) return undefined;
    if (!failedWith(cause, grpc.unimplemented)) throw cause;
    throw new MillwrightError(
      'precondition',
      'This Temporal server does not know worker deployments. Use 1.28 or later, or set MILLWRIGHT_WORKER_VERSIONING=off on every control worker.',
      { cause },
    );
  }
}

type Summary = temporal.api.deployment.v1.WorkerDeploymentInfo.IWorkerDeploymentVersionSummary;

const seenOf = ({ deploymentVersion, createTime }: Summary): [string, number][] =>
  deploymentVersion?.buildId ? [[deploymentVersion.buildId, toMs(createTime)]] : [];

const toMs = (time: Summary['createTime']): number => Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;

/** Another that was quicker is right as well: both look again. */
async function makeCurrent(
  client: Client,
  buildId: string,
  conflictToken: Uint8Array | null | undefined,
): Promise<void> {
  const { namespace } = client.options;
  const change = { namespace, deploymentName, buildId, ignoreMissingTaskQueues: true, identity: 'millwright' };
  try {
    await client.workflowService.setWorkerDeploymentCurrentVersion({
      ...change,
      ...(conflictToken ? { conflictToken } : {}),
    });
  } catch (error) {
    if (!failedWith(error, grpc.failedPrecondition)) throw error;
  }
}
