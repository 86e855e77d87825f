import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Candidate,
  type Demand,
  noPeers,
  type Peers,
  type PlacedVm,
  peersOf,
} from '../../src/domain/candidate.ts';
import type { PeerChoice, PlacementWish } from '../../src/domain/placement.ts';
import { filterNames } from '../../src/domain/placement-names.ts';
import { choose } from '../../src/placement/choose.ts';
import { whyNowhere } from '../../src/placement/nowhere.ts';

const room = (vcpus: number, gpus = 0) => ({ vcpus, memoryMib: vcpus * 1024, diskGib: vcpus * 10, gpus });
const host = (id: string, more: Partial<Candidate> = {}): Candidate => ({
  ...{ id, name: id, region: 'tpe-1', provider: 'simulator', rack: null, labels: {}, groups: [], maintenance: null },
  ...{ total: room(16), used: room(0), shape: 0 },
  ...more,
});
const demand = (more: Partial<Demand> = {}): Demand => ({
  ...{ key: 'k', region: 'tpe-1', provider: 'simulator', room: room(2), wish: {} },
  ...more,
});

const oneOf = <Value>(...values: readonly Value[]) => fc.constantFrom(...values);
const labels = fc.dictionary(oneOf('disk', 'zone'), oneOf('a', 'b'), { maxKeys: 2 });
const anyHost = (id: string): fc.Arbitrary<Candidate> =>
  fc.record({
    ...{ id: fc.constant(id), name: fc.constant(id), shape: fc.constant(0), provider: fc.constant('simulator') },
    region: oneOf('tpe-1', 'tpe-1', 'tpe-1', 'nrt-1'),
    rack: oneOf(null, 'r1', 'r2'),
    maintenance: oneOf(null, null, null, 'a fan'),
    groups: fc.subarray(['fast', 'big']),
    labels,
    total: fc.nat(3).map((gpus) => room(16, gpus)),
    used: fc.nat(16).map((vcpus) => room(vcpus)),
  });
const hosts = fc
  .nat(12)
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => anyHost(`h${index}`))));
const placed: fc.Arbitrary<PlacedVm[]> = fc.array(
  fc.record({
    ...{ id: fc.string(), name: oneOf('web', 'db'), labels: fc.record({ app: oneOf('x', 'y') }) },
    ...{ hostId: fc.nat(12).map((index) => `h${index}`), rack: oneOf(null, 'r1', 'r2') },
  }),
  { maxLength: 6 },
);
const peer = oneOf<PeerChoice>({ vms: ['db'] }, { labels: { app: 'x' } });
const wishes: fc.Arbitrary<PlacementWish> = fc.record(
  {
    ...{ group: oneOf('fast', 'big'), labels: fc.constant({ disk: 'a' }), affinity: peer, antiAffinity: peer },
    spread: fc.constant({ over: 'rack' as const, labels: { app: 'x' } }),
  },
  { requiredKeys: [] },
);
const demands = fc.record({ wish: wishes, vcpus: fc.integer({ min: 1, max: 16 }), gpus: fc.nat(2), key: fc.string() });

/** One filter after another over a list, as one would write it down. */
function plainly(all: readonly Candidate[], { room, wish }: Demand, vms: readonly PlacedVm[]) {
  const meant = (choice: PlacementWish['affinity']) =>
    vms.filter(
      (vm) =>
        choice?.vms?.includes(vm.name) ||
        (choice?.labels && Object.entries(choice.labels).every(([key, value]) => vm.labels[key] === value)),
    );
  const near = meant(wish.affinity);
  const spread = vms.filter(({ labels }) => wish.spread && labels.app === wish.spread.labels.app);
  const inRack = ({ rack }: Candidate) => spread.filter((vm) => vm.rack === rack).length;
  const steps: [string, (host: Candidate, left: readonly Candidate[]) => boolean][] = [
    ['region', ({ region }) => region === 'tpe-1'],
    ['maintenance', ({ maintenance }) => !maintenance],
    ['group', ({ groups }) => !wish.group || groups.includes(wish.group)],
    ['labels', ({ labels }) => !wish.labels || labels.disk === wish.labels.disk],
    ['capacity', ({ total, used }) => total.vcpus - used.vcpus >= room.vcpus],
    ['gpu', ({ total, used }) => total.gpus - used.gpus >= room.gpus],
    ['affinity', ({ id }) => near.length === 0 || near.some(({ hostId }) => hostId === id)],
    ['anti-affinity', ({ id }) => meant(wish.antiAffinity).every(({ hostId }) => hostId !== id)],
    [
      'rack-spread',
      (host, left) =>
        !wish.spread ||
        (host.rack !== null && left.every((other) => other.rack === null || inRack(host) <= inRack(other))),
    ],
  ];
  let left = all;
  const removed = steps.flatMap(([filter, keeps]) => {
    const before = left;
    left = before.filter((host) => keeps(host, before));
    return before.length > left.length ? [{ filter, count: before.length - left.length }] : [];
  });
  return { removed, left };
}

test('each filter removes what it says, counted in order, whatever the hosts and wishes are', () => {
  fc.assert(
    fc.property(hosts, placed, demands, (all, vms, { wish, vcpus, gpus, key }) => {
      const wanted = demand({ wish, key, room: room(vcpus, gpus) });
      const peers = peersOf(wish, vms);
      const { chosen, explanation } = choose(all, wanted, peers);
      const { removed, left } = plainly(all, wanted, vms);
      expect(explanation).toMatchObject({ candidates: all.length, removed, remaining: left.length });
      expect(left.length > 0).toBe(chosen !== undefined);
      if (chosen) expect(left).toContain(chosen);
      // In whatever order they come, the same one.
      expect(choose(all.toReversed(), wanted, peers).chosen?.id).toBe(chosen?.id);
      const best = explanation.best.map(({ score }) => score);
      expect(best).toEqual(best.toSorted((one, other) => other - one));
    }),
    { numRuns: 500 },
  );
});

test('the emptiest host comes first, and one with GPUs last for who wants none', () => {
  const all = [
    host('busy', { used: room(8) }),
    host('empty'),
    host('gpus', { total: room(16, 4) }),
    host('half', { used: room(4) }),
  ];
  expect(choose(all, demand(), noPeers).explanation.best.map((best) => best.host)).toEqual(['empty', 'half', 'busy']);
  expect(choose(all, demand({ room: room(2, 1) }), noPeers).chosen?.name).toBe('gpus');
});

test('of hosts that are as good, each key has one of its own', () => {
  const all = Array.from({ length: 8 }, (_, index) => host(`h${index}`));
  const given = new Set(
    Array.from({ length: 64 }, (_, index) => choose(all, demand({ key: `key-${index}` }), noPeers).chosen?.id),
  );
  expect(given.size).toBeGreaterThan(4);
});

test('a refusal says how many each filter removed, and what would help', () => {
  const wish = { group: 'fast' };
  const all = [
    host('far', { region: 'nrt-1' }),
    host('fixed', { groups: ['fast'], maintenance: 'a fan' }),
    host('other'),
    host('full', { groups: ['fast'], used: room(15) }),
  ];
  const wanted = demand({ wish });
  const message = whyNowhere(all, wanted, noPeers, choose(all, wanted, noPeers));
  expect(message).toBe(
    'No compute host in region "tpe-1" of provider "simulator" takes 2 vCPUs, 2048 MiB of memory, 20 GiB of disk. ' +
      'Of 4 hosts, region removed 1, maintenance removed 1, group removed 1, capacity removed 1. ' +
      'It would help to end the maintenance of "fixed" (a fan); or to put one of 1 other hosts with room into the group "fast", or to ask for no group; ' +
      'or to free room or add a host: the closest, "full", has 1 vCPUs free, 1024 MiB of memory free, 10 GiB of disk free.',
  );
});

test('each filter that alone keeps a host out is told of with what would let it in', () => {
  const spreads: Peers = { near: new Set(['b']), away: new Set(['b']), inRack: new Map() };
  const alone: readonly [string, Partial<Demand>, Peers, Partial<Candidate>][] = [
    ['maintenance', {}, noPeers, { maintenance: 'a fan' }],
    ['group', { wish: { group: 'fast' } }, noPeers, {}],
    ['labels', { wish: { labels: { disk: 'a' } } }, noPeers, {}],
    ['capacity', { room: room(17) }, noPeers, {}],
    ['gpu', { room: room(1, 1) }, noPeers, {}],
    ['affinity', {}, { ...noPeers, near: spreads.near }, {}],
    ['anti-affinity', {}, { ...noPeers, away: new Set(['a']) }, {}],
    ['rack-spread', {}, { ...noPeers, inRack: spreads.inRack }, {}],
  ];
  for (const [filter, more, peers, changes] of alone) {
    const all = [host('a', changes)];
    const message = whyNowhere(all, demand(more), peers, choose(all, demand(more), peers));
    expect(message).toContain(`Of 1 hosts, ${filter} removed 1. It would help`);
  }
  expect(alone.map(([filter]) => filter)).toEqual(filterNames.filter((filter) => filter !== 'region'));
});
