import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { alerts, alertTests, panelExpressions, panels } from './expressions.ts';
import { promtool } from './promtool.ts';

const folder = fileURLToPath(new URL('../../deploy/observability/', import.meta.url));
const tool = await promtool();
/** A machine without it may leave these out; CI may not. */
const left = tool === undefined && process.env.CI !== 'true';
const check = async (...command: string[]): Promise<string> => {
  if (tool === undefined) throw new Error('promtool is neither on PATH nor to be had by apt-get');
  return (await promisify(execFile)(tool, command, { cwd: folder })).stdout;
};

test.skipIf(left)('promtool finds nothing wrong with the alert rules and the example of a configuration', async () => {
  expect(await check('check', 'rules', '--lint-fatal', 'alerts.yml')).toContain('SUCCESS');
  expect(await check('check', 'config', 'prometheus.yml')).toContain('SUCCESS');
});

test.skipIf(left)('each alert is raised when it should be, and not before', async () => {
  await check('test', 'rules', 'alerts.test.yml');
  const tested = alertTests().filter(({ exp_alerts }) => exp_alerts.length > 0);
  expect([...new Set(tested.map(({ alertname }) => alertname))].toSorted()).toEqual(
    alerts()
      .map(({ alert }) => alert)
      .toSorted(),
  );
});

test.skipIf(left)('every expression of the dashboard is one that Prometheus can evaluate', async () => {
  const rules = panelExpressions().map((expr, index) => ({ record: `panel:${index}`, expr }));
  const file = join(mkdtempSync(join(tmpdir(), 'millwright-rules-')), 'panels.yml');
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
  expect(await check('check', 'rules', file)).toContain(`${rules.length} rules found`);
});

test('the dashboard’s panels say what they show, ask one data source, and do not lie over each other', () => {
  const shown = panels().filter(({ type }) => type !== 'row');
  for (const { title, description, targets } of shown) {
    expect(description, title).toMatch(/\.$/);
    expect(targets.length, title).toBeGreaterThan(0);
    for (const { datasource, legendFormat } of targets) {
      expect([datasource.uid, legendFormat !== ''], title).toEqual(['$datasource', true]);
    }
  }
  const cells = panels().flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(new Set(panels().map(({ id }) => id)).size).toBe(panels().length);
});
