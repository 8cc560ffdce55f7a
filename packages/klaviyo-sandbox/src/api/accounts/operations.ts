import { ACCOUNT } from '../query/field-paths.js';
import { TIERS, type Operation } from '../operation.js';
import { getAccount, getAccounts } from './accounts.js';

const QUERY = { fields: { account: ACCOUNT } };

export const accountOperations: readonly Operation[] = [
  {
    name: 'get_accounts',
    method: 'GET',
    path: '/api/accounts',
    scopes: ['accounts:read'],
    limit: TIERS.XS,
    query: QUERY,
    handle: getAccounts,
  },
  {
    name: 'get_account',
    method: 'GET',
    path: '/api/accounts/{id}',
    scopes: ['accounts:read'],
    limit: TIERS.XS,
    query: QUERY,
    handle: getAccount,
  },
];
