import type { Person, SandboxAccount } from '../account/account.js';
import { bodyOf, checkFields, type ControlApp } from './body.js';

/** Acts of people, and what happens to them. */
export function addPeopleRoutes(app: ControlApp, account: SandboxAccount): void {
  const act = (path: string, fields: readonly string[], effect: (who: Person) => void) =>
    app.post(path, async (context) => {
      const who = await bodyOf<Person>(context);
      checkFields(who, fields);
      effect(who);
      return context.json({});
    });
  app.post('/click', async (context) => {
    const who = await bodyOf<Person & { list_id?: string | null }>(context);
    checkFields(who, ['email', 'phone_number', 'list_id']);
    return context.json({ clicked: account.click(who) });
  });
  act('/subscribe', ['email', 'phone_number', 'list_id'], (who) => account.subscribe(who));
  act('/unsubscribe', ['email', 'list_id'], (who) => account.unsubscribe(who));
  act('/complain', ['email'], (who) => account.complain(who));
  act('/stop-sms', ['phone_number'], (who) => account.stopSms(who));
  act('/deactivate-phone', ['phone_number'], (who) => account.deactivatePhone(who));
  act('/suppress', ['email', 'surfaces_after_ms'], (who) => account.suppress(who));
  act('/unsuppress', ['email'], (who) => account.unsuppress(who));
}
