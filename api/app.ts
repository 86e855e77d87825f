import type { OpenAPIHono } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { MillwrightError } from '../src/errors.ts';
import { version } from '../src/version.ts';
import { addressReader } from './address.ts';
import type { ApiDependencies, ApiEnv } from './env.ts';
import { handleError, handleNotFound } from './errors.ts';
import { apiMetrics } from './metrics.ts';
import { authenticator } from './middleware/authenticate.ts';
import { leave, trace } from './middleware/request.ts';
import { placesIn } from './places.ts';
import { rateLimiter } from './rate-limits.ts';
import { createRouter } from './router.ts';
import { addressRoutes } from './routes/address.ts';
import { auditOperations, auditRoutes } from './routes/audit.ts';
import { bareMetalHostRoutes } from './routes/bare-metal-host.ts';
import { batchRoutes } from './routes/batch.ts';
import { batchControlRoutes } from './routes/batch-control.ts';
import { batchDeleteRoutes } from './routes/batch-delete.ts';
import { batchTimelineRoutes } from './routes/batch-timeline.ts';
import { bucketRoutes } from './routes/bucket.ts';
import { clusterRoutes } from './routes/cluster.ts';
import { codecRoutes } from './routes/codec.ts';
import { commonRoutes } from './routes/common.ts';
import { computeHostRoutes } from './routes/compute-host.ts';
import { consoleRoutes } from './routes/console.ts';
import { docsRoutes } from './routes/docs.ts';
import { driftOperations, driftRoutes } from './routes/drift.ts';
import { eventRoutes } from './routes/event.ts';
import { incidentOperations, incidentRoutes } from './routes/incident.ts';
import { jobRoutes } from './routes/job.ts';
import { leaseRoutes } from './routes/lease.ts';
import { maintainerGroupRoutes } from './routes/maintainer-group.ts';
import { networkRoutes } from './routes/network.ts';
import { opsRoutes } from './routes/ops.ts';
import { platformRoutes } from './routes/platform.ts';
import { projectRoutes } from './routes/project.ts';
import { quotaOperations, quotaRoutes } from './routes/quota.ts';
import { hostGroupRoutes, rackRoutes } from './routes/rack.ts';
import { reconciliationRoutes } from './routes/reconciliation.ts';
import { roleBindingRoutes } from './routes/role-binding.ts';
import { serviceAccountRoutes } from './routes/service-account.ts';
import { snapshotRoutes } from './routes/snapshot.ts';
import { subnetRoutes } from './routes/subnet.ts';
import { tokenRoutes } from './routes/token.ts';
import { vmRoutes } from './routes/vm.ts';
import { volumeRoutes } from './routes/volume.ts';
import { webhookRoutes } from './routes/webhook.ts';

/** A batch file of 10,000 operations with cloud-init in each stays below this. */
const largestBody = 16 * 1024 * 1024;

/** The whole API as one Hono app: it can be served, or asked directly by tests. */
export function createApp(given: ApiDependencies): OpenAPIHono<ApiEnv> {
  const metrics = apiMetrics(given.registry);
  const dependencies = { ...given, start: metrics.counted(given.start) };
  const app = createRouter();
  app.onError(handleError);
  app.notFound(handleNotFound);
  app.use(metrics.requests);
  app.use(trace(dependencies.log));
  app.use(leave(dependencies.draining));
  app.use(
    bodyLimit({
      maxSize: largestBody,
      onError: () => {
        throw new MillwrightError(
          'too_large',
          `The body is larger than ${largestBody / 1024 / 1024} MiB. Split a batch into several.`,
        );
      },
    }),
  );

  const limits = rateLimiter(dependencies.rateLimits);
  const addressOf = addressReader(dependencies.trustedProxies);
  const authenticate = authenticator(dependencies.database, { limits, addressOf, oidc: dependencies.oidc });
  const places = placesIn(dependencies.database.sql);
  app.use(async (context, next) => {
    context.set('authenticate', authenticate);
    context.set('places', places);
    context.set('limits', limits);
    context.set('addressOf', addressOf);
    await next();
  });
  app.route('/api/ops/v1/codec', codecRoutes(dependencies));

  for (const routes of [
    vmRoutes,
    consoleRoutes,
    networkRoutes,
    subnetRoutes,
    addressRoutes,
    clusterRoutes,
    volumeRoutes,
    snapshotRoutes,
    bucketRoutes,
    bareMetalHostRoutes,
    jobRoutes,
    batchRoutes,
    batchDeleteRoutes,
    batchTimelineRoutes,
    batchControlRoutes,
    incidentRoutes,
    driftRoutes,
    eventRoutes,
    webhookRoutes,
    projectRoutes,
    roleBindingRoutes,
    serviceAccountRoutes,
    maintainerGroupRoutes,
    tokenRoutes,
    quotaRoutes,
    auditRoutes,
  ])
    app.route('/api/tenant/v1', routes(dependencies));
  for (const routes of [
    opsRoutes,
    leaseRoutes,
    platformRoutes,
    rackRoutes,
    computeHostRoutes,
    hostGroupRoutes,
    quotaOperations,
    auditOperations,
    driftOperations,
    incidentOperations,
    reconciliationRoutes,
  ])
    app.route('/api/ops/v1', routes(dependencies));
  app.route('/api/common/v1', commonRoutes(dependencies));

  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  app.doc31('/api/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Millwright',
      version,
      description: 'Every request ends: done, cleanly undone, or held with its reason and its ways out.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
  });
  app.route('/docs', docsRoutes());
  app.get('/', (context) => context.redirect('/docs'));
  return app;
}
