import type { Operation } from '../operation.js';

export const exportOperations: readonly Operation[] = [];
