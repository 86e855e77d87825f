import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { MillwrightError } from '../src/errors.ts';

/** A worker as its heartbeat tells of it. */
export interface LiveWorker {
  readonly id: string;
  readonly role: 'control' | 'region';
  readonly region: string | null;
  readonly version: string;
  readonly drivers: string[];
  readonly host: string;
  readonly processId: number;
  readonly status: 'running' | 'stopping' | 'lost';
  readonly startedAt: string;
  readonly heartbeatAt: string;
  readonly activitiesUnderWay: number;
}

/** Workers send a heartbeat every 5 s; one that missed three is lost. */
const lostAfterMs = 15_000;

/** The build follows the version as semver has it: `0.1.0+3f9c2a71b04d`. */
export const controlIdentity = (version: string, build: string): string => `control/${version}+${build}`;
/** What a region worker is and can do travels in its identity, so that operators see it and nobody has to store it. */
export const regionIdentity = (region: string, version: string, drivers: readonly string[]): string =>
  `region/${version}/${region}/${drivers.join(',')}`;

/** The workers of this namespace that have been heard of lately, by Temporal's own account. */
export async function liveWorkers(client: Client): Promise<LiveWorker[]> {
  const { workersInfo } = await client.workflowService
    .listWorkers({ namespace: client.options.namespace, pageSize: 1000 })
    .catch((cause: unknown) => {
      throw new MillwrightError(
        'unavailable',
        'Temporal does not answer, so its workers are not known now. Ask again in a few seconds.',
        { cause },
      );
    });
  return workersInfo
    .flatMap(({ workerHeartbeat }) => toWorker(workerHeartbeat))
    .toSorted((one, other) => one.id.localeCompare(other.id));
}

function toWorker(heartbeat: temporal.api.worker.v1.IWorkerHeartbeat | null | undefined): LiveWorker[] {
  const [role, version, region, drivers] = (heartbeat?.workerIdentity ?? '').split('/');
  if (!heartbeat || !version || (role !== 'control' && role !== 'region')) return [];
  const heartbeatMs = toMs(heartbeat.heartbeatTime);
  return [
    {
      id: heartbeat.workerInstanceKey ?? '',
      role,
      region: region ?? null,
      version,
      drivers: drivers ? drivers.split(',') : [],
      host: heartbeat.hostInfo?.hostName ?? '',
      processId: Number(heartbeat.hostInfo?.processId ?? 0),
      status: Date.now() - heartbeatMs > lostAfterMs ? 'lost' : isStopping(heartbeat) ? 'stopping' : 'running',
      startedAt: new Date(toMs(heartbeat.startTime)).toISOString(),
      heartbeatAt: new Date(heartbeatMs).toISOString(),
      activitiesUnderWay: heartbeat.activityTaskSlotsInfo?.currentUsedSlots ?? 0,
    },
  ];
}

/** WORKER_STATUS_SHUTTING_DOWN and WORKER_STATUS_SHUTDOWN. */
const isStopping = ({ status }: temporal.api.worker.v1.IWorkerHeartbeat): boolean => status === 2 || status === 3;

const toMs = (time: { seconds?: unknown; nanos?: number | null } | null | undefined): number =>
  Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;
