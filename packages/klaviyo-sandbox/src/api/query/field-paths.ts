/** What `fields[<type>]` can name, by resource type: paths into the attributes, and `id`. */

/** `name` itself and its inner fields. */
const within = (name: string, ...inside: readonly string[]): string[] => [
  name,
  ...inside.map((path) => `${name}.${path}`),
];

const TEXT_CONSENT = ['consent', 'consent_timestamp', 'last_updated', 'method', 'method_detail'];
const PERMISSION = [
  'can_receive',
  'consent',
  'consent_timestamp',
  'created_timestamp',
  'last_updated',
  'metadata',
  'valid_until',
];
const WHATSAPP = [...PERMISSION, 'phone_number'];

const LOCATION = within(
  'location',
  'address1',
  'address2',
  'city',
  'country',
  'ip',
  'latitude',
  'longitude',
  'region',
  'timezone',
  'zip',
);

const SUBSCRIPTIONS = within(
  'subscriptions',
  ...within(
    'email',
    ...within(
      'marketing',
      ...TEXT_CONSENT,
      'can_receive_email_marketing',
      'custom_method_detail',
      'double_optin',
      'list_suppressions',
      'suppression',
    ),
    ...within('open_tracking', ...PERMISSION),
  ),
  ...within(
    'mobile_push',
    ...within('marketing', 'can_receive_push_marketing', 'consent', 'consent_timestamp'),
  ),
  ...within(
    'sms',
    ...within('marketing', 'can_receive_sms_marketing', ...TEXT_CONSENT),
    ...within('transactional', 'can_receive_sms_transactional', ...TEXT_CONSENT),
  ),
  ...within(
    'whatsapp',
    ...within('conversational', ...WHATSAPP),
    ...within('marketing', ...WHATSAPP),
    ...within('transactional', ...WHATSAPP),
  ),
);

const PREDICTIVE_ANALYTICS = within(
  'predictive_analytics',
  'average_days_between_orders',
  'average_order_value',
  'churn_probability',
  'expected_date_of_next_order',
  'historic_clv',
  'historic_number_of_orders',
  'predicted_clv',
  'predicted_number_of_orders',
  'ranked_channel_affinity',
  'total_clv',
);

/** A profile as `include=profile` of an event shows it: without the additional fields. */
export const PLAIN_PROFILE = [
  'id',
  'email',
  'phone_number',
  'external_id',
  'first_name',
  'last_name',
  'organization',
  'locale',
  'title',
  'image',
  'created',
  'updated',
  'last_event_date',
  ...LOCATION,
  'properties',
];

export const PROFILE = [...PLAIN_PROFILE, ...SUBSCRIPTIONS, ...PREDICTIVE_ANALYTICS];

/** A profile as a member of a list or segment. */
export const MEMBER = [...PROFILE, 'joined_group_at'];

export const PUSH_TOKEN = [
  'id',
  'created',
  'token',
  'enablement_status',
  'platform',
  'vendor',
  'background',
  'recorded_date',
  ...within(
    'metadata',
    'app_build',
    'app_id',
    'app_name',
    'app_version',
    'device_id',
    'device_model',
    'environment',
    'klaviyo_sdk',
    'manufacturer',
    'os_name',
    'os_version',
    'sdk_version',
  ),
];

export const CONVERSATION = ['id', 'channel'];
export const LIST = ['id', 'name', 'created', 'updated', 'opt_in_process'];
export const FLOW = ['id', 'name', 'status', 'archived', 'created', 'updated', 'trigger_type'];
export const TAG = ['id', 'name'];
export const SEGMENT = [
  'id',
  'name',
  ...within('definition', 'condition_groups'),
  'created',
  'updated',
  'is_active',
  'is_processing',
  'is_starred',
];

export const SUPPRESSION_JOB = [
  'id',
  'status',
  'created_at',
  'total_count',
  'completed_count',
  'completed_at',
  'skipped_count',
];
export const IMPORT_JOB = [
  'id',
  'status',
  'created_at',
  'total_count',
  'completed_count',
  'failed_count',
  'completed_at',
  'expires_at',
  'started_at',
];
export const IMPORT_ERROR = [
  'id',
  'code',
  'title',
  'detail',
  ...within('source', 'pointer'),
  'original_payload',
];

export const ACCOUNT = [
  'id',
  'test_account',
  ...within(
    'contact_information',
    'default_sender_name',
    'default_sender_email',
    'website_url',
    'organization_name',
    ...within('street_address', 'address1', 'address2', 'city', 'country', 'region', 'zip'),
  ),
  'industry',
  'timezone',
  'preferred_currency',
  'public_api_key',
  'locale',
];

export const WEBHOOK = [
  'id',
  'name',
  'description',
  'endpoint_url',
  'enabled',
  'created_at',
  'updated_at',
];
export const WEBHOOK_TOPIC = ['id'];

export const EVENT = ['id', 'timestamp', 'event_properties', 'datetime', 'uuid'];
export const METRIC = ['id', 'name', 'created', 'updated', 'integration'];
export const ATTRIBUTION = ['id'];

export const TEXT_CONFIGURATION = [
  'id',
  'org_prefix',
  'opt_out_language',
  'status',
  'created_at',
  'updated_at',
];
export const TEXT_SENDER = [
  'id',
  'sender_type',
  ...within('sender_details', 'country'),
  'status',
  'created_at',
  'forwarding_number',
  'sender_identifier',
];
export const SENDER_REGISTRATION = [
  'id',
  'status',
  'failures',
  'submitted_at',
  'created_at',
  'updated_at',
  'decided_at',
];

export const NEW_EXPORT_JOB = ['id', 'status', 'created_at'];
export const EXPORT_JOB = ['id', 'status', ...within('result', 'expires_at'), 'error'];
export const DOWNLOAD = ['id'];
