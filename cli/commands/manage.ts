import { Command } from 'commander';
import type { IdentityClient } from '../identity-client.ts';
import type { Session } from '../session.ts';
import { type Column, table } from '../table.ts';
import { apiCommand, limitOf, type OpenContext, openSession, withLimit } from './common.ts';
import { showItems } from './show.ts';

/** How a kind of thing is listed, made and deleted from the command line; what it is called stands in `noun`. */
interface Managed<Item> {
  readonly noun: string;
  readonly summary: string;
  readonly columns: readonly Column<Item>[];
  readonly list: (identity: IdentityClient, limit: number, command: Command) => Promise<Item[]>;
  /** Its arguments and options, and what is asked for with them. */
  readonly create: {
    readonly prepare: (command: Command) => Command;
    readonly run: (identity: IdentityClient, command: Command) => Promise<Item>;
    /** What more there is to say of a new one. */
    readonly afterwards?: (session: Session, item: Item) => void;
  };
  readonly delete: {
    readonly verb: string;
    readonly argument: string;
    readonly run: (identity: IdentityClient, reference: string, command: Command) => Promise<void>;
  };
  /** What `list`, `create` and `delete` all take. */
  readonly options?: (command: Command) => Command;
}

/** A command with `list`, `create` and `delete`. */
export function managedCommand<Item>(kebab: string, managed: Managed<Item>, open: OpenContext): Command {
  const { noun, columns, options = (command) => command } = managed;
  const list = options(withLimit(apiCommand('list', `list ${noun}s, oldest first`)));
  list.action(async () => {
    const session = await openSession(list, open);
    const items = await managed.list(session.client.identity, limitOf(list), list);
    await showItems(session, items, columns, `No ${noun}s.`);
  });
  const create = managed.create.prepare(options(apiCommand('create', `create a ${noun}`)));
  create.action(async () => {
    const session = await openSession(create, open);
    const item = await managed.create.run(session.client.identity, create);
    await session.show(item, () => table(columns, [item], Date.now()));
    managed.create.afterwards?.(session, item);
  });
  const { verb, argument, run } = managed.delete;
  const remove = options(apiCommand(verb, `${verb} a ${noun}`)).argument(`<${argument}>`);
  remove.action(async (reference: string) => {
    const session = await openSession(remove, open);
    await run(session.client.identity, reference, remove);
    session.talk(`The ${noun} ${reference} is ${verb === 'revoke' ? 'revoked' : 'deleted'}.`);
  });
  return new Command(kebab).description(managed.summary).addCommand(list).addCommand(create).addCommand(remove);
}
