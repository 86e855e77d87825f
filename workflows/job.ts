import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  setCurrentDetails,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type {
  BucketDeleteSpec,
  BucketKeyRevokeSpec,
  BucketKeySpec,
  ClusterScaleSpec,
  HostBootSpec,
  HostImageSpec,
  HostMediaSpec,
  HostSpec,
  HttpSpec,
  Job,
  SpecOf,
  VmPowerSpec,
  VmRebuild,
  VmResizeSpec,
  VolumeAttachSpec,
  VolumeRestoreSpec,
} from '../src/domain/job.ts';
import type { SagaType } from '../src/domain/kinds.ts';
import {
  adoptBareMetalHost,
  cleanBareMetalHost,
  createBareMetalHost,
  deleteBareMetalHost,
  deployBareMetalHost,
  ejectMediaBareMetalHost,
  insertMediaBareMetalHost,
  inspectBareMetalHost,
  manageBareMetalHost,
  powerOffBareMetalHost,
  powerOnBareMetalHost,
  provideBareMetalHost,
  rebootBareMetalHost,
  rebuildBareMetalHost,
  rescueBareMetalHost,
  setBootDeviceBareMetalHost,
  undeployBareMetalHost,
  unrescueBareMetalHost,
} from './bare-metal-host.ts';
import { createBucket, createKeyBucket, deleteBucket, revokeKeyBucket } from './bucket.ts';
import { createCluster, deleteCluster, scaleCluster } from './cluster.ts';
import { requestHttp } from './http.ts';
import { handleMessages } from './messages.ts';
import { createNetwork, deleteNetwork } from './network.ts';
import { watchProgress } from './progress.ts';
import type { SagaEnd } from './saga.ts';
import { createSnapshot, deleteSnapshot } from './snapshot.ts';
import { createVm, deleteVm, rebootVm, rebuildVm, resizeVm, resumeVm, startVm, stopVm, suspendVm } from './vm.ts';
import { attachVolume, createVolume, deleteVolume, detachVolume, growVolume, restoreVolume } from './volume.ts';

/** Every saga there is, by the type of its job. A job's spec is of its type: the statement that accepted it saw to that. */
const sagas: Readonly<Record<SagaType, (job: Job) => Promise<SagaEnd>>> = {
  'vm.create': (job) => createVm(job as Job<SpecOf['vm']>),
  'vm.delete': deleteVm,
  'vm.start': (job) => startVm(job as Job<VmPowerSpec>),
  'vm.stop': (job) => stopVm(job as Job<VmPowerSpec>),
  'vm.suspend': (job) => suspendVm(job as Job<VmPowerSpec>),
  'vm.resume': (job) => resumeVm(job as Job<VmPowerSpec>),
  'vm.reboot': rebootVm,
  'vm.resize': (job) => resizeVm(job as Job<VmResizeSpec>),
  'vm.rebuild': (job) => rebuildVm(job as Job<VmRebuild>),
  'network.create': (job) => createNetwork(job as Job<SpecOf['network']>),
  'network.delete': deleteNetwork,
  'volume.create': (job) => createVolume(job as Job<SpecOf['volume']>),
  'volume.delete': deleteVolume,
  'volume.attach': (job) => attachVolume(job as Job<VolumeAttachSpec>),
  'volume.detach': (job) => detachVolume(job as Job<VolumeAttachSpec>),
  'volume.grow': (job) => growVolume(job as Job<SpecOf['volume']>),
  'bare-metal-host.create': createBareMetalHost,
  'bare-metal-host.delete': deleteBareMetalHost,
  'bare-metal-host.manage': (job) => manageBareMetalHost(job as Job<HostSpec>),
  'bare-metal-host.inspect': (job) => inspectBareMetalHost(job as Job<HostSpec>),
  'bare-metal-host.clean': (job) => cleanBareMetalHost(job as Job<HostSpec>),
  'bare-metal-host.provide': (job) => provideBareMetalHost(job as Job<HostSpec>),
  'bare-metal-host.deploy': (job) => deployBareMetalHost(job as Job<HostImageSpec>),
  'bare-metal-host.rebuild': (job) => rebuildBareMetalHost(job as Job<HostImageSpec>),
  'bare-metal-host.undeploy': (job) => undeployBareMetalHost(job as Job<HostSpec>),
  'bare-metal-host.rescue': (job) => rescueBareMetalHost(job as Job<HostMediaSpec>),
  'bare-metal-host.unrescue': (job) => unrescueBareMetalHost(job as Job<HostSpec>),
  'bare-metal-host.adopt': (job) => adoptBareMetalHost(job as Job<HostSpec>),
  'bare-metal-host.power-on': (job) => powerOnBareMetalHost(job as Job<HostSpec>),
  'bare-metal-host.power-off': (job) => powerOffBareMetalHost(job as Job<HostSpec>),
  'bare-metal-host.reboot': (job) => rebootBareMetalHost(job as Job<HostSpec>),
  'bare-metal-host.set-boot-device': (job) => setBootDeviceBareMetalHost(job as Job<HostBootSpec>),
  'bare-metal-host.insert-media': (job) => insertMediaBareMetalHost(job as Job<HostMediaSpec>),
  'bare-metal-host.eject-media': (job) => ejectMediaBareMetalHost(job as Job<HostSpec>),
  'volume.restore': (job) => restoreVolume(job as Job<VolumeRestoreSpec>),
  'snapshot.create': (job) => createSnapshot(job as Job<SpecOf['snapshot']>),
  'snapshot.delete': deleteSnapshot,
  'bucket.create': (job) => createBucket(job as Job<SpecOf['bucket']>),
  'bucket.delete': (job) => deleteBucket(job as Job<BucketDeleteSpec>),
  'bucket.create-key': (job) => createKeyBucket(job as Job<BucketKeySpec>),
  'bucket.revoke-key': (job) => revokeKeyBucket(job as Job<BucketKeyRevokeSpec>),
  'cluster.create': (job) => createCluster(job as Job<SpecOf['cluster']>, runJob),
  'cluster.delete': (job) => deleteCluster(job, runJob),
  'cluster.scale': (job) => scaleCluster(job as Job<ClusterScaleSpec>, runJob),
  'http.request': (job) => requestHttp(job as Job<HttpSpec>),
};

/** Runs a job inside the workflow that calls this: one of its own, or a batch's. */
export function runJob(job: Job): Promise<SagaEnd> {
  return sagas[job.type](job);
}

/** A workflow of its own for one job. It fails or is canceled as the job was, so that Temporal's lists show it. */
export async function hostJob(job: Job): Promise<void> {
  handleMessages();
  watchProgress((_job, now, step) => {
    const lines = [`**${job.type}** \`${job.resourceName}\` in ${job.region}: **${now.state}**`];
    if (step) lines.push(`- step \`${step.name}\`: ${step.state}, attempt ${step.attempts}`);
    if (now.rollback !== 'none') lines.push(`- rollback: ${now.rollback}`);
    if (now.error) lines.push(`- error: ${now.error.message}`);
    if (now.nextAttemptAt) lines.push(`- next attempt: ${now.nextAttemptAt}`);
    setCurrentDetails(lines.join('\n'));
  });
  await endAs(await runJob(job));
}

/** Ends a workflow as what it hosted ended, once whoever sent it a message has an answer. */
export async function endAs(end: SagaEnd): Promise<void> {
  // Shielded: a workflow that was canceled still answers, and says how its job ended.
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  upsertSearchAttributes({ State: [end.state] });
  if (end.state === 'CANCELED') throw new CancelledFailure('Canceled and undone.');
  if (end.state === 'FAILED') throw ApplicationFailure.nonRetryable(end.error?.message ?? 'Failed.', end.error?.code);
}
