import { type Context, Hono } from 'hono';
import { nameSchema } from '../../domain/common.ts';
import { attended, type ProviderEnv, regionOf } from './attended.ts';
import type { CallLog } from './calls.ts';
import type { FaultStore } from './faults.ts';
import { hostActions, hostRequestSchema, rackSchema } from './host-wire.ts';
import type { HostStore } from './hosts.ts';
import { limitBody, parse, readBody } from './reply.ts';

/** The side by which hosts come into a region, and are seen as they are. */
export function hostAdminRoutes(hosts: HostStore): Hono {
  return new Hono()
    .get('/', (context) => context.json({ hosts: hosts.list(context.req.query('region')) }))
    .post('/', limitBody, async (context) =>
      context.json({ hosts: hosts.add(await readBody(context, rackSchema)) }, 201),
    );
}

/** The controllers of a region's hosts, each under its address, with the credential's name in place of the credential. */
export function hostRoutes(hosts: HostStore, faults: FaultStore, calls: CallLog): Hono<ProviderEnv> {
  const app = new Hono<ProviderEnv>();
  const { note, perform } = attended(faults, calls);
  const all = '/:region/hosts' as const;
  const one = `${all}/:key` as const;
  const placeOf = (context: Context<ProviderEnv, typeof one>) => ({
    region: regionOf(context),
    address: context.req.param('key'),
  });
  const credentialOf = (context: Context) =>
    parse(nameSchema, context.req.header('x-credential'), 'The header X-Credential names none');

  app.get(all, note('bare-metal-host.list'), (context) => {
    const region = regionOf(context);
    return perform(context, null, () => ({ status: 200, body: { hosts: hosts.list(region) } }));
  });

  app.get(one, note('bare-metal-host.get'), (context) => {
    const [place, credential] = [placeOf(context), credentialOf(context)];
    return perform(context, hosts.nameOf(place), () => ({ status: 200, body: hosts.find(place, credential) }));
  });

  for (const action of hostActions) {
    app.post(`${one}/${action}`, note(`bare-metal-host.${action}`), limitBody, async (context) => {
      const place = { region: regionOf(context), address: context.req.param('key') };
      const credential = credentialOf(context);
      const request = await readBody(context, hostRequestSchema);
      const act = () => ({ status: 202, body: hosts.ask(place, credential, request) }) as const;
      return perform(context, hosts.nameOf(place), act, request);
    });
  }

  return app;
}
