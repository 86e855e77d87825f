import type { Command } from 'commander';
import { processContext } from '../context.ts';
import { addressCommand } from './address.ts';
import { auditCommand } from './audit.ts';
import { bareMetalHostCommand } from './bare-metal-host.ts';
import { batchCommand } from './batch.ts';
import { bucketCommand } from './bucket.ts';
import { clusterCommand } from './cluster.ts';
import type { OpenContext } from './common.ts';
import { computeHostCommand } from './compute-host.ts';
import { driftCommand } from './drift.ts';
import { eventCommand } from './event.ts';
import { incidentCommand } from './incident.ts';
import { jobCommand } from './job.ts';
import { loginCommand, logoutCommand } from './login.ts';
import { maintainerGroupCommand } from './maintainer-group.ts';
import { networkCommand } from './network.ts';
import { organizationCommand } from './organization.ts';
import { projectCommand } from './project.ts';
import { quotaCommand } from './quota.ts';
import { hostGroupCommand, rackCommand } from './rack.ts';
import { reconcileCommand } from './reconcile.ts';
import { regionCommand } from './region.ts';
import { roleBindingCommand } from './role-binding.ts';
import { serviceAccountCommand } from './service-account.ts';
import { snapshotCommand } from './snapshot.ts';
import { subnetCommand } from './subnet.ts';
import { tokenCommand } from './token.ts';
import { userCommand } from './user.ts';
import { vmCommand } from './vm.ts';
import { volumeCommand } from './volume.ts';
import { webhookCommand } from './webhook.ts';
import { whoamiCommand } from './whoami.ts';
import { workerListCommand } from './worker.ts';

/** The commands that ask the API, for a program to add. */
export const tenantCommands = (open: OpenContext = processContext): Command[] =>
  [
    vmCommand,
    networkCommand,
    subnetCommand,
    addressCommand,
    volumeCommand,
    snapshotCommand,
    bucketCommand,
    clusterCommand,
    bareMetalHostCommand,
    rackCommand,
    computeHostCommand,
    hostGroupCommand,
    batchCommand,
    jobCommand,
    incidentCommand,
    driftCommand,
    reconcileCommand,
    eventCommand,
    webhookCommand,
    quotaCommand,
    auditCommand,
    regionCommand,
  ].map((command) => command(open));

/** The commands that say who may do what. */
export const identityCommands = (open: OpenContext = processContext): Command[] =>
  [
    loginCommand,
    logoutCommand,
    whoamiCommand,
    tokenCommand,
    roleBindingCommand,
    serviceAccountCommand,
    maintainerGroupCommand,
    projectCommand,
    organizationCommand,
    userCommand,
  ].map((command) => command(open));

/** `worker list`, to be added to the command that runs workers. */
export const workerList = (open: OpenContext = processContext): Command => workerListCommand(open);
