import { CONSENT_CHANNELS } from '../../contracts/channels.js';
import type { PersonChannel, PersonConsent, PersonTracking } from '../../contracts/person.js';
import { consentOf, type ProfileConsent } from '../../klaviyo/index.js';
import { answerAboutPerson, personAskedAbout, takePersonAnswer } from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import { whileHeartbeating } from '../temporal/heartbeats.js';

export function createReadPerson({ ledger, klaviyo }: ActivityDependencies) {
  return {
    /** Reads the person that the question is about and stores the answer in the ledger. */
    async readPerson({ requestId }: { requestId: string }): Promise<void> {
      return whileHeartbeating(async (signal) => {
        const person = await personAskedAbout(ledger.db, requestId);
        if (person === null) return;
        const { by, value } = person;
        const profiles = await klaviyo.lookUpProfiles({ by, values: [value] }, { signal });
        await answerAboutPerson(ledger.db, requestId, toPersonConsent(profiles, new Date()));
      });
    },

    /** Deletes a question with its answer, if the asker did not. */
    async forgetPerson({ requestId }: { requestId: string }): Promise<void> {
      await takePersonAnswer(ledger.db, requestId);
    },
  };
}

export function toPersonConsent(profiles: readonly ProfileConsent[], readAt: Date): PersonConsent {
  return {
    readAt: readAt.toISOString(),
    profiles: profiles.map((profile) => ({
      id: profile.id,
      email: profile.email,
      phoneNumber: profile.phoneNumber,
      channels: channelsOf(profile),
      tracking: trackingOf(profile),
      suppressions: profile.emailMarketing?.suppressions ?? [],
      listSuppressions:
        profile.emailMarketing === null ? [] : profile.emailMarketing.listSuppressions,
    })),
  };
}

function trackingOf({ emailTracking }: ProfileConsent): PersonTracking[] {
  return (['opens', 'clicks'] as const).flatMap((of) => {
    const held = emailTracking[of];
    return held === null ? [] : [{ of, ...held }];
  });
}

function channelsOf(profile: ProfileConsent): PersonChannel[] {
  const { emailMarketing: email, smsMarketing: sms, smsTransactional: transactional } = profile;
  return CONSENT_CHANNELS.flatMap((channel) => {
    const held = consentOf(profile, channel);
    if (held === null) return [];
    const texts = channel === 'sms' ? sms : channel === 'sms_transactional' ? transactional : null;
    const mails = channel === 'email' ? email : null;
    return [
      {
        channel,
        consent: held.consent,
        consentedAt: held.consentedAt,
        canReceive: mails?.canReceive ?? texts?.canReceive ?? null,
        method: mails?.method ?? texts?.method ?? null,
        customSource: mails?.customMethodDetail ?? null,
        doubleOptIn: mails?.doubleOptIn ?? null,
      },
    ];
  });
}
