import { rmSync } from 'node:fs';
import { MillwrightError } from '../errors.ts';
import { homePaths, quietly, writeWhole } from './home.ts';
import type { Identity } from './identity.ts';
import type { Service } from './service.ts';
import type { PlatformStatus } from './status.ts';
import { type Supervised, supervise } from './supervised.ts';

const graceMs = 10_000;

/** The later ones need the earlier ones, and are ended before them. */
const tiers = ['database', 'services', 'roles'] as const;
type Tier = (typeof tiers)[number];

/** The services of one platform, and their state in the home's status file. */
export interface Crew {
  /** Starts a service and keeps it running; resolves when it is ready for the first time. */
  add(tier: Tier, service: Service): Promise<void>;
  status(): PlatformStatus;
  /** Ends them all: the roles first, the database last. */
  stop(): Promise<void>;
}

interface CrewOptions {
  readonly home: string;
  readonly supervisor: Identity;
  /** Address of the API. */
  readonly api: string;
  readonly report: (line: string) => void;
}

export function createCrew({ home, supervisor, api, report }: CrewOptions): Crew {
  const members: { readonly tier: Tier; readonly supervised: Supervised }[] = [];
  let stopping: Promise<void> | undefined;

  const inOrder = () => members.toSorted((a, b) => tiers.indexOf(a.tier) - tiers.indexOf(b.tier));
  const status = (): PlatformStatus => ({
    supervisor,
    api,
    roles: inOrder().map(({ supervised }) => supervised.status()),
  });
  const changed = () => quietly(() => writeWhole(homePaths(home).status, status()));
  changed();

  async function stop(): Promise<void> {
    for (const tier of tiers.toReversed()) {
      const ended = members.filter((member) => member.tier === tier).map(({ supervised }) => supervised.stop(graceMs));
      await Promise.all(ended);
    }
    rmSync(homePaths(home).status, { force: true });
  }

  return {
    add: async (tier, service) => {
      if (stopping)
        throw new MillwrightError('unavailable', `${service.process.name} is not started: the platform is stopping.`);
      const supervised = supervise(service, { report, changed });
      members.push({ tier, supervised });
      changed();
      await supervised.ready;
    },
    status,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}
