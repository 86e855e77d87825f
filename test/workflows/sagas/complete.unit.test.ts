import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { operationTypes } from '../../../src/domain/kinds.ts';

test('every saga is held to what every saga promises', () => {
  const files = readdirSync(import.meta.dirname).filter((file) => /^[\w-]+\.test\.ts$/.test(file));
  const texts = files.map((file) => readFileSync(`${import.meta.dirname}/${file}`, 'utf8')).join('\n');
  const suites = [...texts.matchAll(/sagaSuite\(([^)]*)\)/g)].flatMap(([, types = '']) =>
    [...types.matchAll(/'([^']+)'/g)].map(([, type]) => type),
  );
  expect(suites.toSorted()).toEqual([...operationTypes].toSorted());
});
