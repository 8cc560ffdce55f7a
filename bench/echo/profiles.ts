/** When the first and the last of them were created. */
const FIRST = Date.UTC(2022, 0, 1);
const LAST = Date.UTC(2025, 0, 1);

/**
 * Profiles of an account in the order in which they were created, at even distances. They are made
 * when they are asked for: each is subscribed to e-mail, every third to texts.
 */
export class EchoProfiles {
  /** Milliseconds from one to the next. */
  readonly #step: number;

  constructor(private readonly count: number) {
    this.#step = (LAST - FIRST) / Math.max(1, count);
  }

  /** The first that was created at or after this time (epoch ms). */
  firstFrom(time: number): number {
    return Math.min(this.count, Math.max(0, Math.ceil((time - FIRST) / this.#step)));
  }

  /** Profiles from one place in the order to another, as JSON without brackets. */
  page(from: number, to: number): string {
    const profiles: string[] = [];
    for (let n = from; n < to; n += 1) profiles.push(this.#profile(n));
    return profiles.join();
  }

  #profile(n: number): string {
    const created = new Date(FIRST + n * this.#step).toISOString().replace('Z', '+00:00');
    const phone = n % 3 === 0 ? `"${numberOf(n / 3)}"` : 'null';
    const texts = phone === 'null' ? 'null' : textsOf(created);
    return (
      `{"type":"profile","id":"01ECHO${String(n).padStart(20, '0')}","attributes":{` +
      `"email":"p${n}@shop.example","phone_number":${phone},"external_id":null,"created":"${created}",` +
      `"subscriptions":{"email":${emailOf(created)},"sms":${texts},"whatsapp":null,` +
      `"mobile_push":{"marketing":{"can_receive_push_marketing":false,"consent":"NEVER_SUBSCRIBED","consent_timestamp":null}}}},` +
      `"links":{"self":"https://echo.example/api/profiles/01ECHO${n}/"}}`
    );
  }
}

/** Reserved numbers of all areas: 80,000. */
function numberOf(n: number): string {
  const area = 200 + (Math.floor(n / 100) % 800);
  return `+1${area}55501${String(n % 100).padStart(2, '0')}`;
}

function emailOf(at: string): string {
  const never =
    '{"can_receive":false,"consent":"NEVER_SUBSCRIBED","consent_timestamp":null,"last_updated":null,"valid_until":null}';
  return (
    `{"marketing":{"can_receive_email_marketing":true,"consent":"SUBSCRIBED","consent_timestamp":"${at}",` +
    `"last_updated":"${at}","method":"FORM","method_detail":"Newsletter","custom_method_detail":null,` +
    `"double_optin":true,"suppression":[],"list_suppressions":[]},"open_tracking":${never},"click_tracking":${never}}`
  );
}

function textsOf(at: string): string {
  return (
    `{"marketing":{"can_receive_sms_marketing":true,"consent":"SUBSCRIBED","consent_timestamp":"${at}",` +
    `"method":"FORM","method_detail":"Newsletter","last_updated":"${at}"},"transactional":` +
    `{"can_receive_sms_transactional":false,"consent":"NEVER_SUBSCRIBED","consent_timestamp":null,` +
    `"method":null,"method_detail":null,"last_updated":null}}`
  );
}
