import type { Candidate, Room } from '../domain/candidate.ts';
import { type WeightName, weightNames } from '../domain/placement-names.ts';

/** How much each counts. VMs are spread: what is emptiest fills first, and hosts with GPUs are left to who wants them. */
const weights: Readonly<Record<WeightName, number>> = {
  'free-vcpus': 1,
  'free-memory': 1,
  'free-disk': 0.5,
  'keep-gpus': 2,
};
const sum = weightNames.reduce((all, name) => all + weights[name], 0);

const free = (total: number, used: number, wanted: number): number => (total - used - wanted) / total;

const parts: Readonly<Record<WeightName, (host: Candidate, room: Room) => number>> = {
  'free-vcpus': ({ total, used }, room) => free(total.vcpus, used.vcpus, room.vcpus),
  'free-memory': ({ total, used }, room) => free(total.memoryMib, used.memoryMib, room.memoryMib),
  'free-disk': ({ total, used }, room) => free(total.diskGib, used.diskGib, room.diskGib),
  'keep-gpus': ({ total }, room) => (total.gpus === 0 || room.gpus > 0 ? 1 : 0),
};

/** From 0 to 1: how good a host is once the VM is on it. */
export const scoreOf = (host: Candidate, room: Room): number =>
  (weights['free-vcpus'] * parts['free-vcpus'](host, room) +
    weights['free-memory'] * parts['free-memory'](host, room) +
    weights['free-disk'] * parts['free-disk'](host, room) +
    weights['keep-gpus'] * parts['keep-gpus'](host, room)) /
  sum;

/** What each weight gives it, of 3 digits. */
export const partsOf = (host: Candidate, room: Room): Record<WeightName, number> => ({
  'free-vcpus': digits(parts['free-vcpus'](host, room)),
  'free-memory': digits(parts['free-memory'](host, room)),
  'free-disk': digits(parts['free-disk'](host, room)),
  'keep-gpus': digits(parts['keep-gpus'](host, room)),
});

export const digits = (value: number): number => Math.round(value * 1000) / 1000;
