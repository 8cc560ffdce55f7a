import type { Operation } from '../operation.js';

export const eventOperations: readonly Operation[] = [];
