import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import {
  type Quota,
  type QuotaDifference,
  type QuotaLimits,
  type QuotaMetric,
  quotaMetrics,
  quotaScopes,
} from '../../src/domain/quota.ts';
import { Exit } from '../errors.ts';
import { type Column, table } from '../table.ts';
import { apiCommand, type OpenContext, openSession, textOf } from './common.ts';
import { showItems } from './show.ts';

export const quotaCommand = (open: OpenContext): Command =>
  new Command('quota')
    .description('see what may be held and what is; set limits; recount')
    .addCommand(showCommand(open))
    .addCommand(setCommand(open))
    .addCommand(verifyCommand(open));

interface Line {
  readonly scope: string;
  readonly metric: string;
  readonly used: number;
  readonly limit: number | null;
}

const lines = (quotas: readonly Quota[]): Line[] =>
  quotas.flatMap(({ scope, name, metrics }) =>
    quotaMetrics.map((metric) => ({ scope: `${scope} ${name}`, metric, ...metrics[metric] })),
  );

const columns: readonly Column<Line>[] = [
  { header: 'SCOPE', value: ({ scope }) => scope },
  { header: 'METRIC', value: ({ metric }) => metric },
  { header: 'USED', value: ({ used }) => String(used) },
  { header: 'LIMIT', value: ({ limit }) => (limit === null ? 'none' : String(limit)) },
];

const tableOf = (quotas: readonly Quota[]): string => table(columns, lines(quotas), Date.now());

const differenceColumns: readonly Column<QuotaDifference>[] = [
  { header: 'SCOPE', value: ({ scope, name }) => `${scope} ${name}` },
  { header: 'METRIC', value: ({ metric }) => metric },
  { header: 'RECORDED', value: ({ recorded }) => String(recorded) },
  { header: 'COUNTED', value: ({ counted }) => String(counted) },
];

function showCommand(open: OpenContext): Command {
  const command = apiCommand('show', "show the project's quota and its organization's");
  return command.action(async () => {
    const session = await openSession(command, open);
    const quotas = await session.client.quota();
    await session.show(quotas, () => tableOf(quotas));
  });
}

/** For a limit: there is none. */
const none = 'none';

const options: Readonly<Record<QuotaMetric, string>> = {
  vms: 'vms',
  vcpus: 'vcpus',
  memoryMib: 'memory-mib',
  storageGib: 'storage-gib',
  networks: 'networks',
  volumes: 'volumes',
  snapshots: 'snapshots',
  buckets: 'buckets',
  addresses: 'addresses',
  gpus: 'gpus',
  bareMetalHosts: 'bare-metal-hosts',
  clusters: 'clusters',
};

function setCommand(open: OpenContext): Command {
  const command = apiCommand('set', 'set limits of a project or an organization; for operators')
    .addArgument(new Argument('<scope>').choices(quotaScopes))
    .argument('<name>', 'its name or id')
    .option('--reason <text>', 'why, for the record');
  for (const metric of quotaMetrics)
    command.addOption(
      new Option(`--${options[metric]} <limit>`, `how many ${metric}; "none": without limit`).argParser(limit),
    );
  return command.action(async (scope: (typeof quotaScopes)[number], name: string) => {
    const session = await openSession(command, open);
    const limits: QuotaLimits = Object.fromEntries(
      quotaMetrics.flatMap((metric) => {
        const value: unknown = command.getOptionValue(metric);
        return typeof value === 'string' ? [[metric, value === none ? null : Number(value)]] : [];
      }),
    );
    const quota = await session.client.setQuota(scope, name, limits, textOf(command, 'reason'));
    await session.show(quota, () => tableOf([quota]));
  });
}

function verifyCommand(open: OpenContext): Command {
  const command = apiCommand('verify', 'compare what is counted with what is there; changes nothing; for operators');
  return command.action(async () => {
    const session = await openSession(command, open);
    const differences = await session.client.quotaDifferences();
    await showItems(session, differences, differenceColumns, 'Every quota equals a recount.');
    if (differences.length > 0) throw new Exit(1);
  });
}

function limit(value: string): string {
  if (value === none || /^\d{1,15}$/.test(value)) return value;
  throw new InvalidArgumentError('It must be a whole number, or none.');
}
