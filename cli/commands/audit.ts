import { Command, InvalidArgumentError } from 'commander';
import { type AuditAct, type AuditHead, type AuditReport, auditHeadSchema } from '../../src/domain/audit.ts';
import { Exit } from '../errors.ts';
import { type Column, properties } from '../table.ts';
import { apiCommand, limitOf, type OpenContext, openSession, textOf, withLimit } from './common.ts';
import { showItems } from './show.ts';

export const auditCommand = (open: OpenContext): Command =>
  new Command('audit')
    .description('see who did what, and verify that the record is whole')
    .addCommand(listCommand(open))
    .addCommand(verifyCommand(open));

const columns: readonly Column<AuditAct>[] = [
  { header: 'AT', value: ({ at }) => at },
  { header: 'ACTOR', value: ({ actor }) => actor },
  { header: 'FROM', value: ({ origin }) => origin ?? '', optional: true },
  { header: 'ACTION', value: ({ action }) => action },
  { header: 'RESOURCE', value: ({ resource: { kind, id, name } }) => [kind, name ?? id].filter(Boolean).join(' ') },
  { header: 'OUTCOME', value: ({ outcome }) => outcome ?? '(under way)' },
  { header: 'REASON', value: ({ reason }) => reason ?? '', optional: true },
  { header: 'ERROR', value: ({ outcomeReason }) => outcomeReason ?? '', optional: true },
];

function listCommand(open: OpenContext): Command {
  const command = withLimit(apiCommand('list', 'list acts, newest first; the organization’s where no project is named'))
    .option('--all', 'those of every organization; for operators')
    .option('--actor <name>', 'only those of this actor')
    .option('--action <action>', 'only this, as vm.create')
    .option('--resource <id>', 'only those on the resource with this id')
    .option('--since <time>', 'not before this time (ISO 8601)', instant)
    .option('--until <time>', 'before this time (ISO 8601)', instant);
  return command.action(async () => {
    const session = await openSession(command, open);
    const filter = Object.fromEntries(
      ['actor', 'action', 'resource', 'since', 'until'].map((name) => [name, textOf(command, name)]),
    );
    const acts = await session.client.acts(command.getOptionValue('all') === true, filter, limitOf(command));
    await showItems(session, acts, columns, 'No such acts.');
  });
}

function verifyCommand(open: OpenContext): Command {
  const command = apiCommand(
    'verify',
    'compute the whole chain anew; fails where the record is not whole; for operators',
  ).option(
    '--head <sequence:hash>',
    'a head that an earlier verification gave: the chain has to hold it still',
    headOf,
  );
  return command.action(async () => {
    const session = await openSession(command, open);
    const head = auditHeadSchema.safeParse(command.getOptionValue('head'));
    const report = await session.client.verifyAudit(head.data);
    await session.show(report, () => describe(report));
    if (!report.appendOnly)
      session.talk('The API’s login may change the audit log: give it one that may not (docs/audit.md).');
    for (const { kind, detail } of report.faults) session.talk(`${kind}: ${detail}`);
    if (report.faults.length > 0) throw new Exit(1);
    session.talk('The record is whole. Keep the head elsewhere, to prove later that all up to it is as it was.');
  });
}

const describe = ({ sealed, head, faults }: AuditReport): string =>
  properties([
    ['Entries', String(sealed)],
    ['Head', head && `${head.sequence}:${head.hash}`],
    ['Faults', String(faults.length)],
  ]);

function headOf(value: string): AuditHead {
  const [, sequence, hash] = /^(\d+):([0-9a-f]{64})$/.exec(value) ?? [];
  if (sequence !== undefined && hash !== undefined) return { sequence: Number(sequence), hash };
  throw new InvalidArgumentError('It must have the form sequence:hash, as "audit verify" shows it.');
}

function instant(value: string): string {
  const at = new Date(value);
  if (Number.isNaN(at.getTime())) throw new InvalidArgumentError('It must be a time, as 2026-11-24T13:00:00Z.');
  return at.toISOString();
}
