import { createRequire } from 'node:module';
import { dirname, relative } from 'node:path';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import type { ApiEnv } from '../env.ts';

const assets = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>Millwright API</title>
    <link rel="stylesheet" href="/docs/assets/swagger-ui.css">
    <link rel="icon" href="/docs/assets/favicon-32x32.png">
  </head>
  <body>
    <div id="reference"></div>
    <script src="/docs/assets/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const start = `SwaggerUIBundle({ url: '/api/openapi.json', dom_id: '#reference', deepLinking: true, persistAuthorization: true, tryItOutEnabled: true });`;

/** The API reference, rendered from the OpenAPI document, with everything it needs served from here. */
export function docsRoutes(): Hono<ApiEnv> {
  const router = new Hono<ApiEnv>();
  router.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
      },
    }),
  );
  router.get('/', (context) => context.html(page));
  router.get('/start.js', (context) => context.body(start, 200, { 'content-type': 'text/javascript' }));
  router.get(
    '/assets/:file{swagger-ui\\.css|swagger-ui-bundle\\.js|favicon-32x32\\.png}',
    serveStatic({
      root: relative(process.cwd(), assets),
      rewriteRequestPath: (path) => path.replace('/docs/assets', ''),
    }),
  );
  return router;
}
