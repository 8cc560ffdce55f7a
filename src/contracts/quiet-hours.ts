/** A time of each day at which nobody is to get a text. */
export interface QuietHours {
  /** `HH:MM`, in `timeZone`; the first quiet minute. */
  readonly from: string;
  /** `HH:MM`; the first minute that is not quiet any more. Before `from`, it is one of the next day. */
  readonly to: string;
  /** IANA name, such as Europe/Berlin. */
  readonly timeZone: string;
}

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;

/** Milliseconds until quiet hours are over; 0 if a time is not in them. */
export function quietForMs({ from, to, timeZone }: QuietHours, at: Date): number {
  const [begins, ends] = [msOf(from), msOf(to)];
  const offset = offsetMs(timeZone, at);
  const now = modulo(at.getTime() + offset, DAY_MS);
  const isQuiet = begins < ends ? now >= begins && now < ends : now >= begins || now < ends;
  if (!isQuiet) return 0;
  const wait = modulo(ends - now, DAY_MS);
  // The clocks may change meanwhile.
  return wait + offset - offsetMs(timeZone, new Date(at.getTime() + wait));
}

/** As people write it. */
export function quietWords({ from, to, timeZone }: QuietHours): string {
  return `${from} to ${to} (${timeZone})`;
}

function msOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return (hours * 60 + minutes) * MINUTE_MS;
}

/** How far the clocks of a time zone are ahead of UTC. */
function offsetMs(timeZone: string, at: Date): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at);
  const of = (type: Intl.DateTimeFormatPartTypes): number =>
    Number(parts.find((part) => part.type === type)?.value);
  const local = Date.UTC(
    of('year'),
    of('month') - 1,
    of('day'),
    of('hour'),
    of('minute'),
    of('second'),
  );
  return local - (at.getTime() - modulo(at.getTime(), 1_000));
}

const modulo = (value: number, by: number): number => ((value % by) + by) % by;
