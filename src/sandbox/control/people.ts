import type { Person, SandboxAccount } from '../account/account.js';
import { bodyOf, checkFields, type ControlApp } from './body.js';

/** What people do by themselves, and what happens to their numbers. */
export function addPeopleRoutes(app: ControlApp, account: SandboxAccount): void {
  app.post('/click', async (context) => {
    const who = await bodyOf<Person & { list_id?: string | null }>(context);
    checkFields(who, ['email', 'phone_number', 'list_id']);
    return context.json({ clicked: account.click(who) });
  });
  app.post('/unsubscribe', async (context) => {
    const who = await bodyOf<Person>(context);
    checkFields(who, ['email']);
    account.unsubscribe(who);
    return context.json({});
  });
  app.post('/stop-sms', async (context) => {
    const who = await bodyOf<Person>(context);
    checkFields(who, ['phone_number']);
    account.stopSms(who);
    return context.json({});
  });
  app.post('/deactivate-phone', async (context) => {
    const who = await bodyOf<Person>(context);
    checkFields(who, ['phone_number']);
    account.deactivatePhone(who);
    return context.json({});
  });
}
