/** The people of a benchmark have these addresses; see `writePeople`. */
const ADDRESS = /^p(\d+)@shop\.example$/;

const FIRST_SIZE = 1 << 20;

/**
 * Who was subscribed, and when, in the order of the calls. A person is a number, since ten million
 * addresses would need a gigabyte.
 */
export class EchoPeople {
  count = 0;
  #order = new Uint32Array(FIRST_SIZE);
  /** Epoch ms of the call. */
  #times = new Float64Array(FIRST_SIZE);
  /** Epoch ms by person; 0 for somebody who was not sent. */
  #sentAt = new Float64Array(FIRST_SIZE);

  /** @param body of a subscribe call */
  accept(body: string, now: number): void {
    const { data } = JSON.parse(body) as SubscribeBody;
    // Events are in the order of their times, even if the clock is set back.
    const at = Math.max(now, this.count === 0 ? 0 : this.#times[this.count - 1]!);
    for (const { attributes } of data.attributes.profiles.data) {
      const person = numberOf(attributes.email);
      if (person >= this.#sentAt.length) this.#sentAt = grown(this.#sentAt, person);
      this.#sentAt[person] = at;
      if (this.count === this.#order.length) {
        this.#order = grown(this.#order, this.count);
        this.#times = grown(this.#times, this.count);
      }
      this.#order[this.count] = person;
      this.#times[this.count] = at;
      this.count += 1;
    }
  }

  /** The first place in the order at or after this time, which counts in whole seconds. */
  firstSince(since: number): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (wholeSecond(this.#times[middle]!) < since) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Events from one place in the order to another, and their people, as JSON without brackets. */
  events(from: number, to: number, metric: string): { events: string; profiles: string } {
    const events: string[] = [];
    const profiles: string[] = [];
    for (let place = from; place < to; place += 1) {
      const person = this.#order[place]!;
      const datetime = dateOf(this.#times[place]!);
      events.push(
        `{"type":"event","id":"E${place}","attributes":{"datetime":"${datetime}"},"relationships":{"profile":{"data":{"type":"profile","id":"P${person}"}},"metric":{"data":{"type":"metric","id":"${metric}"}}}}`,
      );
      profiles.push(
        `{"type":"profile","id":"P${person}","attributes":{"email":"${addressOf(person)}","phone_number":null}}`,
      );
    }
    return { events: events.join(), profiles: profiles.join() };
  }

  /** The profiles of those who were sent, as a JSON list. */
  profiles(emails: readonly string[]): string {
    const found = emails.flatMap((email) => {
      const at = this.#sentAt[ADDRESS.test(email) ? numberOf(email) : -1] ?? 0;
      return at === 0 ? [] : [profile(email, dateOf(at))];
    });
    return `[${found.join()}]`;
  }
}

interface SubscribeBody {
  readonly data: {
    readonly attributes: {
      readonly profiles: { readonly data: readonly { attributes: { email: string } }[] };
    };
  };
}

function profile(email: string, at: string): string {
  const marketing = {
    consent: 'SUBSCRIBED',
    consent_timestamp: at,
    last_updated: at,
    can_receive_email_marketing: true,
    method: 'API',
    suppression: [],
    list_suppressions: [],
  };
  return JSON.stringify({
    type: 'profile',
    id: `P${numberOf(email)}`,
    attributes: {
      email,
      phone_number: null,
      joined_group_at: at,
      subscriptions: { email: { marketing }, sms: null, whatsapp: null, mobile_push: null },
    },
  });
}

/** @throws Error for an address that is not of a benchmark */
function numberOf(email: string): number {
  const number = ADDRESS.exec(email)?.[1];
  if (number === undefined) throw new Error('The echo only knows the people of the benchmarks.');
  return Number(number);
}

const addressOf = (person: number): string => `p${person}@shop.example`;
const wholeSecond = (ms: number): number => Math.floor(ms / 1_000) * 1_000;
const dateOf = (ms: number): string => new Date(wholeSecond(ms)).toISOString();

function grown<T extends Uint32Array | Float64Array>(array: T, index: number): T {
  const length = Math.max(array.length * 2, index + 1);
  const larger = array instanceof Uint32Array ? new Uint32Array(length) : new Float64Array(length);
  larger.set(array);
  return larger as T;
}
