import type { SandboxAccount } from '../account/account.js';
import {
  changeableSettings,
  changeSettings,
  type SettingsChange,
} from '../settings/settings-change.js';
import { bodyOf, checkFields, type ControlApp } from './body.js';

/** The account's behaviour. */
export function addSettingRoutes(app: ControlApp, account: SandboxAccount): void {
  app.get('/settings', (context) => context.json(changeableSettings(account.settings)));
  app.patch('/settings', async (context) => {
    changeSettings(account, await bodyOf<SettingsChange>(context));
    return context.json(changeableSettings(account.settings));
  });
  app.post('/clicks', async (context) => {
    const body = await bodyOf<{ share: number; smsShare?: number }>(context);
    checkFields(body, ['share', 'smsShare']);
    account.setClicks(body.share, body.smsShare);
    return context.json({});
  });
  app.post('/senders/:id', async (context) => {
    const body = await bodyOf<{ status: string; failures?: string[] }>(context);
    checkFields(body, ['status', 'failures']);
    const { id, status, country } = account.texting.decide(
      context.req.param('id'),
      body.status,
      body.failures,
    );
    return context.json({ id, status, country });
  });
}
