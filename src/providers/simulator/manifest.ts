import { resourceKinds } from '../../domain/kinds.ts';
import type { DriverManifest } from '../types.ts';

export const manifest: DriverManifest = { name: 'simulator', version: '1.0.0', kinds: resourceKinds };
