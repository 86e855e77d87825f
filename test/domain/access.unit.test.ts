import { expect, test } from 'vitest';
import { type Grant, type Rights, reaches, roleAt, roleOnPlatform, seesOrganization } from '../../src/domain/access.ts';

const web = { organizationId: 'shop', projectId: 'web' };
const data = { organizationId: 'shop', projectId: 'data' };
const shop = { organizationId: 'shop', projectId: null };
const other = { organizationId: 'bank', projectId: 'core' };

const rights = (grants: readonly Grant[], more: Partial<Rights> = {}): Rights => ({
  grants,
  atMost: 'operator',
  onlyProjectId: null,
  ...more,
});

test('a role on an organisation holds in all its projects, one on a project nowhere else', () => {
  expect(roleAt(rights([{ role: 'admin', ...shop }]), web)).toBe('admin');
  expect(roleAt(rights([{ role: 'admin', ...web }]), data)).toBeUndefined();
  expect(roleAt(rights([{ role: 'admin', ...web }]), shop)).toBeUndefined();
  expect(roleAt(rights([{ role: 'admin', ...shop }]), other)).toBeUndefined();
});

test('of several roles the highest holds', () => {
  const both = rights([
    { role: 'viewer', ...shop },
    { role: 'member', ...web },
  ]);
  expect([roleAt(both, web), roleAt(both, data)]).toEqual(['member', 'viewer']);
});

test('a token lets through no more than its role, and nothing outside of its project', () => {
  const admin: Grant = { role: 'admin', ...shop };
  expect(roleAt(rights([admin], { atMost: 'viewer' }), web)).toBe('viewer');
  expect(roleAt(rights([admin], { onlyProjectId: 'web' }), web)).toBe('admin');
  expect(roleAt(rights([admin], { onlyProjectId: 'web' }), data)).toBeUndefined();
  expect(roleAt(rights([admin], { onlyProjectId: 'web' }), shop)).toBeUndefined();
});

test('an operator acts everywhere, unless its token is narrower', () => {
  const operator: Grant = { role: 'operator', organizationId: null, projectId: null };
  expect([roleAt(rights([operator]), other), roleOnPlatform(rights([operator]))]).toEqual(['operator', 'operator']);
  expect(roleOnPlatform(rights([operator], { atMost: 'admin' }))).toBeUndefined();
  expect(roleOnPlatform(rights([operator], { onlyProjectId: 'web' }))).toBeUndefined();
  expect(roleOnPlatform(rights([{ role: 'admin', ...shop }]))).toBeUndefined();
});

test('an organisation is seen by whoever holds anything in it', () => {
  expect(seesOrganization(rights([{ role: 'viewer', ...web }]), 'shop')).toBe(true);
  expect(seesOrganization(rights([{ role: 'admin', ...shop }]), 'bank')).toBe(false);
  expect(seesOrganization(rights([]), 'shop')).toBe(false);
});

test('roles are in order', () => {
  expect([reaches('admin', 'member'), reaches('viewer', 'member'), reaches(undefined, 'viewer')]).toEqual([
    true,
    false,
    false,
  ]);
});
