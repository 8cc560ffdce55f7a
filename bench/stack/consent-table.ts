import pg from 'pg';
import type { SandboxControl } from '../../src/demo/sandbox-control.js';

const AT_ONCE = 5_000;

/** A database of a customer's, beside the ledger's on the same server. */
export class CustomerDatabase {
  private constructor(readonly url: string) {}

  static async create(ledgerUrl: string): Promise<CustomerDatabase> {
    const url = new URL(ledgerUrl);
    await withClient(url.href, (client) => client.query('create database crm'));
    url.pathname = '/crm';
    return new CustomerDatabase(url.href);
  }

  /** Rows of the table that a sync writes by default. */
  rows(): Promise<number> {
    return withClient(this.url, async (client) => {
      const { rows } = await client.query<{ count: string }>(
        'select count(*) from klaviyo_consent',
      );
      return Number(rows[0]?.count);
    });
  }

  /** How many profiles have no row, or one that says something else of mail or texts. */
  wrongRows(sandbox: SandboxControl): Promise<number> {
    return withClient(this.url, async (client) => {
      let wrong = 0;
      let batch = new Map<string, string>();
      const compare = async (): Promise<void> => {
        const { rows } = await client.query<{ profile_id: string; says: string }>(
          `select profile_id, ${SAYS} as says from klaviyo_consent where profile_id = any($1)`,
          [[...batch.keys()]],
        );
        for (const { profile_id: id, says } of rows) if (batch.get(id) === says) batch.delete(id);
        wrong += batch.size;
        batch = new Map();
      };
      for await (const { id, email, phone_number, subscriptions } of sandbox.eachTruth()) {
        const { email: mail, sms } = subscriptions;
        const { consent, can_receive_email_marketing, suppression } = mail.marketing;
        const texts = sms?.marketing ?? null;
        const said = [
          email,
          phone_number,
          consent,
          can_receive_email_marketing,
          suppression.length,
          texts?.consent ?? null,
          texts?.can_receive_sms_marketing ?? null,
        ];
        batch.set(id, said.map((value) => value ?? '-').join(' '));
        if (batch.size === AT_ONCE) await compare();
      }
      await compare();
      return wrong;
    });
  }
}

/** What a row says, as text. */
const SAYS = `concat_ws(' ', ${[
  'email',
  'phone_number',
  'email_marketing_consent',
  'email_marketing_can_receive::text',
  'jsonb_array_length(email_marketing_suppressions)::text',
  'sms_marketing_consent',
  'sms_marketing_can_receive::text',
]
  .map((column) => `coalesce(${column}, '-')`)
  .join(', ')})`;

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
