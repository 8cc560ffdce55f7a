import type { SegmentFound } from '../../contracts/segments.js';
import { count, counted } from './quantities.js';

/** Who enters and leaves a segment, in a few lines. */
export function segmentWords(found: SegmentFound): string {
  const { people, before, entering, leaving, missing, kept, changed, triedAgain, isBaseline } =
    found;
  const refused = Object.entries(found.refused).map(
    ([reason, parts]) => `${reason} ${count(parts ?? 0)}`,
  );
  return [
    `${counted(people, 'person', 'people')} in the source, ${count(before)} in the segment before: ` +
      `${count(entering)} enter, ${count(leaving)} leave.`,
    ...(isBaseline && before > 0
      ? ['Its query or its key is another one than before, so nobody leaves in this run.']
      : []),
    ...(missing > 0 ? [`${count(missing)} are missing, and leave if they stay so.`] : []),
    ...(kept > 0
      ? [
          `${count(kept)} have been missing since the segment began anew: they stay until they are back.`,
        ]
      : []),
    ...(changed > 0 ? [`${count(changed)} have another address or number.`] : []),
    ...(triedAgain > 0 ? [`${count(triedAgain)} are tried again.`] : []),
    ...(refused.length > 0 ? [`Not usable in the source: ${refused.join(', ')}.`] : []),
  ].join('\n');
}
