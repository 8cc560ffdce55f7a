import type { Operation } from '../operation.js';

export const segmentOperations: readonly Operation[] = [];
