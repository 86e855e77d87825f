import { type WeightName, weightNames } from '../domain/placement-names.ts';
import type { Candidate, Room } from './candidate.ts';

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

const weighed = weightNames.map((name) => ({ weight: weights[name], of: parts[name] }));

/** From 0 to 1: how good a host is once the VM is on it. */
export function scoreOf(host: Candidate, room: Room): number {
  let score = 0;
  for (let at = 0; at < weighed.length; at += 1) {
    const part = weighed[at];
    if (part) score += part.weight * part.of(host, room);
  }
  return score / sum;
}

/** What each weight gives it, of 3 digits. */
export const partsOf = (host: Candidate, room: Room): Record<WeightName, number> => ({
  'free-vcpus': digits(parts['free-vcpus'](host, room)),
  'free-memory': digits(parts['free-memory'](host, room)),
  'free-disk': digits(parts['free-disk'](host, room)),
  'keep-gpus': digits(parts['keep-gpus'](host, room)),
});

export const digits = (value: number): number => Math.round(value * 1000) / 1000;
