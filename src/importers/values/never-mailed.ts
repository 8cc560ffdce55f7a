/**
 * Local parts that Klaviyo mails to under no domain: it skips them as "Invalid Email", and nobody can
 * unblock them. Its list may have more.
 */
const LOCAL_PARTS: ReadonlySet<string> = new Set([
  'abuse',
  'compliance',
  'devnull',
  'dns',
  'domains',
  'ftp',
  'inoc',
  'ispfeedback',
  'ispsupport',
  'list',
  'list-request',
  'maildaemon',
  'no-reply',
  'noc',
  'noreply',
  'null',
  'paypal',
  'phish',
  'phishing',
  'post',
  'postmaster',
  'privacy',
  'root',
  'spam',
  'unsubscribe',
  'www',
]);

/** Whether Klaviyo never mails to this address, although it can be subscribed. */
export function isNeverMailed(email: string): boolean {
  return LOCAL_PARTS.has(email.slice(0, email.lastIndexOf('@')));
}
