import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const read = (name: string): string =>
  readFileSync(new URL(`../../deploy/observability/${name}`, import.meta.url), 'utf8');

const rulesSchema = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })),
});
const testsSchema = z.object({
  tests: z.array(
    z.object({ alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })) }),
  ),
});
const targetSchema = z.object({
  expr: z.string(),
  legendFormat: z.string(),
  datasource: z.object({ uid: z.string() }),
});
const dashboardSchema = z.object({
  uid: z.string(),
  panels: z.array(
    z.object({
      id: z.number(),
      type: z.string(),
      title: z.string().min(1),
      description: z.string().optional(),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z.array(targetSchema).default([]),
    }),
  ),
});

export const alerts = () => rulesSchema.parse(parse(read('alerts.yml'))).groups.flatMap(({ rules }) => rules);
export const alertTests = () =>
  testsSchema.parse(parse(read('alerts.test.yml'))).tests.flatMap((one) => one.alert_rule_test);
export const panels = () => dashboardSchema.parse(JSON.parse(read('dashboard.json'))).panels;

/** The expressions of the dashboard as Prometheus gets them, Grafana's variables filled in. */
export const panelExpressions = (): string[] =>
  panels().flatMap(({ targets }) =>
    targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(job|instance)/g, '.+')),
  );

/** The families of metrics that an expression names. */
export const metricsIn = (expression: string): string[] =>
  [...expression.matchAll(/\b(?:millwright|process|nodejs|temporal)_\w+/g)].map(([name]) =>
    name.replace(/_(bucket|sum|count)$/, ''),
  );
