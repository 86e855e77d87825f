import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { abortable, hostMoves, hostStates, hostVerbs } from '../../src/domain/host-states.ts';

const source = readFileSync(new URL('../../src/domain/host-states.ts', import.meta.url), 'utf8');
const arrows = [...source.matchAll(/^ \* {3}(\w+) +(\S.*\S) +──▶ (\S.*\S) +──▶ (\S.*?) \| (\S.*)$/gm)];

test('the list below the drawing is the table', () => {
  const drawn = arrows.map(([, verb, from, during, done, failed]) => ({
    ...{ verb, from: from?.split(', '), during, done, failed },
  }));
  const table = hostVerbs.map((verb) => {
    const { from, during, done, failed } = hostMoves[verb];
    return { verb, from: [...from], during, done, failed };
  });
  expect(drawn).toEqual(table);
});

test('each state is drawn, and reached and left by a verb', () => {
  const drawing = source.slice(0, source.indexOf('Every arrow'));
  for (const state of hostStates) expect(drawing).toContain(state);
  const moves = hostVerbs.map((verb) => hostMoves[verb]);
  const reached = new Set<string>(['enroll', ...moves.flatMap(({ during, done, failed }) => [during, done, failed])]);
  const left = new Set<string>(moves.flatMap(({ from, during }) => [...from, during]));
  expect(hostStates.filter((state) => !reached.has(state) || !left.has(state))).toEqual([]);
});

test('a host becomes available by a verb that cleans it, and no other way', () => {
  const ways = hostVerbs.filter((verb) =>
    [hostMoves[verb].done, hostMoves[verb].failed].some((to) => to === 'available'),
  );
  expect(ways).toEqual(['provide', 'undeploy']);
  for (const verb of ways) expect(hostMoves[verb].cleans).toBe(true);
});

test('nothing moves a host while a job is at work on it but that job, which may be aborted where nothing is lost', () => {
  const during = new Set<string>(hostVerbs.map((verb) => hostMoves[verb].during));
  for (const verb of hostVerbs) expect(hostMoves[verb].from.filter((state) => during.has(state))).toEqual([]);
  expect(abortable.every((state) => during.has(state))).toBe(true);
});
