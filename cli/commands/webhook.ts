import { Command, Option } from 'commander';
import {
  type Delivery,
  deliveryStates,
  type NewWebhook,
  type Webhook,
  type WebhookUpdate,
} from '../../src/domain/webhook.ts';
import type { Session } from '../session.ts';
import { type Column, table } from '../table.ts';
import { age } from '../text.ts';
import { apiCommand, limitOf, type OpenContext, openSession, textOf, wholeNumber, withLimit } from './common.ts';
import { bodyOf, count, list, mandatoryText, text } from './options.ts';
import { showItems } from './show.ts';

export const webhookCommand = (open: OpenContext): Command =>
  new Command('webhook')
    .description('send events to endpoints of one’s own')
    .addCommand(createCommand(open))
    .addCommand(listCommand(open))
    .addCommand(getCommand(open))
    .addCommand(updateCommand(open))
    .addCommand(deleteCommand(open))
    .addCommand(rotateCommand(open))
    .addCommand(pingCommand(open))
    .addCommand(deliveriesCommand(open))
    .addCommand(redeliverCommand(open));

const columns: readonly Column<Webhook>[] = [
  { header: 'NAME', value: ({ name }) => name },
  { header: 'STATE', value: ({ state }) => state },
  { header: 'URL', value: ({ url }) => url },
  { header: 'TYPES', value: ({ types }) => types.join(',') || 'all' },
  { header: 'KINDS', value: ({ kinds }) => kinds.join(',') || 'all' },
  { header: 'PENDING', value: ({ deliveries }) => String(deliveries.pending) },
  { header: 'DEAD', value: ({ deliveries }) => String(deliveries.dead) },
  { header: 'AGE', value: ({ createdAt }, now) => age(createdAt, now) },
  { header: 'FAILING', value: ({ failingSince }, now) => (failingSince ? age(failingSince, now) : ''), optional: true },
  { header: 'REASON', value: ({ stateReason }) => stateReason ?? '', optional: true },
];

const deliveryColumns: readonly Column<Delivery>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'EVENT', value: ({ eventId }) => eventId },
  { header: 'TYPE', value: ({ type }) => type },
  { header: 'STATE', value: ({ state }) => state },
  { header: 'ATTEMPTS', value: ({ attempts }) => String(attempts) },
  { header: 'STATUS', value: ({ status }) => (status === null ? '' : String(status)) },
  { header: 'AGE', value: ({ createdAt }, now) => age(createdAt, now) },
  { header: 'NEXT TRY', value: ({ nextAttemptAt }) => nextAttemptAt ?? '', optional: true },
  { header: 'ERROR', value: ({ error }) => error ?? '', optional: true },
];

const types = list(
  'types',
  '--type <type>',
  'only events of this type, like job.ended or incident.*; may be given again',
);
const kinds = list('kinds', '--kind <kind>', 'only events about this kind; may be given again');
const concurrency = count('concurrency', '--concurrency <count>', 'send so many at once; 1 keeps all of them in order');

const named = (name: string, summary: string): Command =>
  apiCommand(name, summary).argument('<name>', 'its name or id');
const show = (session: Session, webhook: Webhook): Promise<void> =>
  session.show(webhook, () => table(columns, [webhook], Date.now()));

/** The secret is data: it goes where the data goes, once. */
async function showSecret(session: Session, webhook: NewWebhook): Promise<void> {
  await session.show(webhook, () => `${table(columns, [webhook], Date.now())}\nSecret: ${webhook.secret}\n`);
  session.talk('Keep the secret: it verifies what is sent, and is not shown again.');
}

function createCommand(open: OpenContext): Command {
  const options = [mandatoryText('url', '--url <url>', 'where events are sent, by https'), types, kinds, concurrency];
  const command = named('create', 'create a webhook: what happens from now on is sent there');
  for (const { option } of options) command.addOption(option);
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    await showSecret(session, await session.client.webhooks.create({ name, ...bodyOf(command, options) }));
  });
}

function listCommand(open: OpenContext): Command {
  const command = withLimit(apiCommand('list', 'list webhooks, oldest first'));
  return command.action(async () => {
    const session = await openSession(command, open);
    await showItems(
      session,
      await session.client.webhooks.list(limitOf(command)),
      columns,
      'No webhooks in this project.',
    );
  });
}

function getCommand(open: OpenContext): Command {
  const command = named('get', 'show a webhook');
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    await show(session, await session.client.webhooks.get(name));
  });
}

function updateCommand(open: OpenContext): Command {
  const options = [text('url', '--url <url>', 'where events are sent'), types, kinds, concurrency];
  const command = named('update', 'change a webhook, or enable or disable it')
    .option('--enable', 'go on with the first event that it has not had')
    .option('--disable', 'send nothing until it is enabled')
    .option('--skip-missed', 'with --enable: go on with what happens from now')
    .option('--all-types', 'want events of all types')
    .option('--all-kinds', 'want events about all kinds');
  for (const { option } of options) command.addOption(option);
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    const has = (option: string): boolean => command.getOptionValue(option) === true;
    const change: WebhookUpdate = {
      ...bodyOf(command, options),
      ...(has('allTypes') ? { types: [] } : {}),
      ...(has('allKinds') ? { kinds: [] } : {}),
      ...(has('enable') || has('disable') ? { enabled: has('enable') } : {}),
      ...(has('skipMissed') ? { skipMissed: true } : {}),
    };
    await show(session, await session.client.webhooks.update(name, change));
  });
}

function deleteCommand(open: OpenContext): Command {
  const command = named('delete', 'delete a webhook: what is on its way to it is not sent any more');
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    await session.client.webhooks.delete(name);
    session.talk(`Webhook "${name}" is deleted.`);
  });
}

function rotateCommand(open: OpenContext): Command {
  const command = named('rotate', 'give a webhook a new secret').option(
    '--grace <seconds>',
    'sign with the old one as well for so long; a day by default',
    wholeNumber,
  );
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    const grace: unknown = command.getOptionValue('grace');
    await showSecret(
      session,
      await session.client.webhooks.rotate(name, typeof grace === 'number' ? grace : undefined),
    );
  });
}

function pingCommand(open: OpenContext): Command {
  const command = named('ping', 'send a webhook a test event');
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    await show(session, await session.client.webhooks.ping(name));
    session.talk(
      `It is on its way. See what came of it with: ${session.command(`webhook deliveries ${name} --limit 1`)}`,
    );
  });
}

function deliveriesCommand(open: OpenContext): Command {
  const command = withLimit(named('deliveries', 'list what was sent to a webhook, newest first')).addOption(
    new Option('--state <state>', 'only those in this state; dead: given up').choices(deliveryStates),
  );
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    const items = await session.client.webhooks.deliveries(name, textOf(command, 'state'), limitOf(command));
    await showItems(session, items, deliveryColumns, 'No such deliveries.');
  });
}

function redeliverCommand(open: OpenContext): Command {
  const command = named('redeliver', 'send once more what was given up: one delivery, or all').argument(
    '[delivery]',
    'the id of one; all that was given up by default',
  );
  return command.action(async (name: string, delivery: string | undefined) => {
    const session = await openSession(command, open);
    const redelivered = await session.client.webhooks.redeliver(name, delivery);
    await session.show({ redelivered }, () => '');
    session.talk(`${redelivered === 1 ? '1 delivery is' : `${redelivered} deliveries are`} on the way again.`);
  });
}
