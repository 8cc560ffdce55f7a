import type { TollFreeCountry } from '../../account/texting/texting.js';
import { isEmail, isObject, relatedId, resourceOf, type Json } from '../http/body.js';
import { ApiError, invalid, missing, type ErrorEntry } from '../http/errors.js';
import { REGISTRATION, SENDER } from './sender-resource.js';

export interface SenderRequest {
  country: TollFreeCountry;
  forwardingNumber: string | null;
}

const SENDER_FIELDS = '/data/attributes';
const FORM = `${SENDER_FIELDS}/${REGISTRATION}/data`;
const REQUIRED = [
  'first_name',
  'last_name',
  'phone_number',
  'email',
  'address',
  'business_type',
  'business_name',
  'business_website',
] as const;
const REQUIRED_OF_ADDRESS = [
  'street_address_1',
  'city',
  'region',
  'postal_code',
  'country',
] as const;
const BUSINESS_TYPES = [
  'GOVERNMENT',
  'NON_PROFIT',
  'PRIVATE_PROFIT',
  'PUBLIC_PROFIT',
  'SOLE_PROPRIETOR',
];
const AUTHORITIES =
  'ABN ACN BRN CBN CIF CNPJ CRN EIN NEQ NIF NZBN OTHER PROVINCIAL_NUMBER SIREN SIRET UID USt-IdNr VAT'.split(
    ' ',
  );
const E164 = /^\+[1-9]\d{7,14}$/;

/**
 * Reads the request for a toll-free sender with its verification form. What is required is
 * documented, the wording is ours.
 *
 * @throws ApiError 400 naming everything that is wrong
 */
export function readSenderRequest(body: unknown): SenderRequest {
  const { attributes } = resourceOf(body, SENDER);
  const details = attributes['sender_details'];
  const country = isObject(details) ? details['country'] : undefined;
  const forwarding = attributes['forwarding_number'] ?? null;
  const wrong = [
    ...wrongSender(attributes, country),
    ...(forwarding === null || isPhone(forwarding)
      ? []
      : [invalid(`${SENDER_FIELDS}/forwarding_number`, 'Invalid phone number format')]),
    ...wrongForm(attributes[REGISTRATION]),
  ];
  if (wrong.length > 0) throw new ApiError(400, wrong);
  return {
    country: country === 'CA' ? 'CA' : 'US',
    forwardingNumber: typeof forwarding === 'string' ? forwarding : null,
  };
}

function wrongSender(attributes: Json, country: unknown): ErrorEntry[] {
  const type = attributes['sender_type'];
  return [
    ...(type === undefined ? [missing(`${SENDER_FIELDS}/sender_type`, 'sender_type', SENDER)] : []),
    ...(type === undefined || type === 'toll_free'
      ? []
      : [invalid(`${SENDER_FIELDS}/sender_type`, "Only 'toll_free' senders can be created.")]),
    ...(country === undefined
      ? [missing(`${SENDER_FIELDS}/sender_details/country`, 'country', SENDER)]
      : notOneOf(`${SENDER_FIELDS}/sender_details/country`, country, ['CA', 'US'])),
  ];
}

function wrongForm(relation: unknown): ErrorEntry[] {
  const form = isObject(relation) ? relation['data'] : undefined;
  if (!isObject(form)) {
    return [missing(`${SENDER_FIELDS}/${REGISTRATION}`, REGISTRATION, SENDER)];
  }
  const given = form['attributes'];
  if (form['type'] !== REGISTRATION) {
    return [invalid(`${FORM}/type`, `Not a valid type; expected '${REGISTRATION}'.`)];
  }
  if (!isObject(given)) return [missing(`${FORM}/attributes`, 'attributes', REGISTRATION)];
  return wrongAnswers(`${FORM}/attributes`, given);
}

/** @param pointer to the form's answers */
function wrongAnswers(pointer: string, given: Json): ErrorEntry[] {
  const { address, email, phone_number: phone } = given;
  return [
    ...blank(pointer, given, REQUIRED),
    ...(isObject(address) ? blank(`${pointer}/address`, address, REQUIRED_OF_ADDRESS) : []),
    ...(phone === undefined || isPhone(phone)
      ? []
      : [invalid(`${pointer}/phone_number`, 'Invalid phone number format')]),
    ...(email === undefined || (typeof email === 'string' && isEmail(email))
      ? []
      : [invalid(`${pointer}/email`, 'Invalid email address')]),
    ...notOneOf(`${pointer}/business_type`, given['business_type'], BUSINESS_TYPES),
    ...wrongBusiness(pointer, given),
  ];
}

/**
 * Reads a registration of an existing sender, and the sender's id.
 *
 * @throws ApiError 400 naming everything that is wrong
 */
export function readRegistrationRequest(body: unknown): string {
  const { attributes, relationships } = resourceOf(body, REGISTRATION);
  const senderId = relatedId(relationships, SENDER);
  const wrong = [
    ...wrongAnswers(SENDER_FIELDS, attributes),
    ...(senderId === null ? [missing(`/data/relationships/${SENDER}`, SENDER, REGISTRATION)] : []),
  ];
  if (senderId === null || wrong.length > 0) throw new ApiError(400, wrong);
  return senderId;
}

/** A sole proprietor in the US needs no registration number; everybody gives the country. */
function wrongBusiness(pointer: string, given: Json): ErrorEntry[] {
  const authority = given['business_registration_authority'] ?? undefined;
  const excused =
    given['business_type'] === 'SOLE_PROPRIETOR' && given['business_registration_country'] === 'US';
  return [
    ...blank(pointer, given, [
      'business_registration_country',
      ...(excused ? [] : ['business_registration_authority', 'business_registration_number']),
    ]),
    ...notOneOf(`${pointer}/business_registration_authority`, authority, AUTHORITIES),
  ];
}

function blank(pointer: string, given: Json, fields: readonly string[]): ErrorEntry[] {
  return fields
    .filter((field) => (given[field] ?? '') === '')
    .map((field) => missing(`${pointer}/${field}`, field, REGISTRATION));
}

function notOneOf(pointer: string, value: unknown, choices: readonly string[]): ErrorEntry[] {
  if (value === undefined || choices.some((choice) => choice === value)) return [];
  return [invalid(pointer, `${JSON.stringify(value)} is not a valid choice.`)];
}

const isPhone = (value: unknown): boolean => typeof value === 'string' && E164.test(value);
