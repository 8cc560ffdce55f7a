import type { SandboxAccount } from '../account/account.js';
import type { Fault } from '../account/requests/fault.js';
import { bodyOf, type ControlApp } from './body.js';
import type { Latency } from '../settings/latency.js';

/** Faults and latency. */
export function addFaultRoutes(app: ControlApp, account: SandboxAccount): void {
  app.get('/faults', (context) => context.json({ faults: account.faults.pending() }));
  app.post('/faults', async (context) => {
    const faults = await bodyOf<Fault | Fault[]>(context);
    for (const fault of Array.isArray(faults) ? faults : [faults]) account.addFault(fault);
    return context.json({ pending: account.faults.pending().length }, 201);
  });
  app.delete('/faults', (context) => {
    account.clearFaults();
    return context.json({ pending: 0 });
  });
  app.post('/latency', async (context) => {
    const given = await bodyOf<Latency | Latency[]>(context);
    account.latency.set(Array.isArray(given) ? given : [given]);
    return context.json({});
  });
  app.delete('/latency', (context) => {
    account.latency.set([]);
    return context.json({});
  });
}
