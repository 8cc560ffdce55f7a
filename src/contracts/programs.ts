/**
 * What happens to the people of a channel that a program does not ask for any more, from the least to
 * the most: nothing; whoever has their consent from this program alone is unsubscribed; everybody is.
 */
export const OFF_PEOPLE = ['nothing', 'unsubscribe_given', 'unsubscribe_all'] as const;
/** What happens to the people of a channel that is switched off: one of `OFF_PEOPLE`. */
export type OffPeople = (typeof OFF_PEOPLE)[number];
