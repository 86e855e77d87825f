import { Hono } from 'hono';
import { MillwrightError } from '../../errors.ts';
import type { CallLog } from './calls.ts';
import { type FaultStore, faultSchema } from './faults.ts';
import { limitBody, readBody } from './reply.ts';
import { type SettingsStore, settingsPatchSchema } from './settings.ts';
import type { Store } from './store.ts';
import { objectsSchema } from './wire.ts';

/** The side that tests and demos set faults, latency and capacity by, and see what is there. No fault meets it. */
export function adminRoutes(store: Store, faults: FaultStore, settings: SettingsStore, calls: CallLog): Hono {
  const app = new Hono();

  app.get('/health', (context) => context.json({ status: 'ok' }));
  app.get('/inventory', (context) => context.json({ resources: store.inventory() }));

  app.get('/faults', (context) => context.json({ faults: faults.list() }));
  app.post('/faults', limitBody, async (context) =>
    context.json(faults.add(await readBody(context, faultSchema)), 201),
  );
  app.delete('/faults', (context) => {
    faults.clear();
    return context.body(null, 204);
  });
  app.delete('/faults/:id', (context) => {
    const id = context.req.param('id');
    if (faults.remove(id)) return context.body(null, 204);
    throw new MillwrightError('not_found', `There is no fault "${id}". GET /faults lists those that there are.`);
  });

  app.get('/settings', (context) => context.json(settings.get()));
  app.put('/settings', limitBody, async (context) =>
    context.json(settings.put(await readBody(context, settingsPatchSchema))),
  );

  app.put('/objects', limitBody, async (context) => {
    const { region, bucket, objects } = await readBody(context, objectsSchema);
    if (store.fill(region, bucket, objects)) return context.body(null, 204);
    throw new MillwrightError('not_found', `There is no bucket "${bucket}" in "${region}".`);
  });

  app.get('/calls', (context) => context.json({ calls: calls.list() }));
  app.delete('/calls', (context) => {
    calls.clear();
    return context.body(null, 204);
  });

  return app;
}
