/** A key that may not read the SMS set-up: only Klaviyo's refusals tell which numbers it reaches. */
export const WITHOUT_SENDERS = [
  ...['accounts', 'lists', 'profiles', 'events', 'metrics'].map((what) => `${what}:read`),
  ...['lists', 'profiles', 'subscriptions'].map((what) => `${what}:write`),
];
