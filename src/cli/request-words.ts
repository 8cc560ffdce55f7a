import { REQUEST_SETTINGS, type Setting } from '../starter/migrations/request/settings-list.js';
import { count, durationText, type Spelling } from '../starter/migrations/request/spelling.js';

/** As at the CLI: `--undated list_only`. A setting without a flag is named as in a script. */
export const asFlags: Spelling = (name, value) => {
  const setting = REQUEST_SETTINGS.find((some) => some.name === name);
  const flag = setting === undefined ? undefined : flagName(setting);
  // A group is known by the flag of its first setting.
  const first =
    flag ?? REQUEST_SETTINGS.filter((some) => some.name.startsWith(`${name}.`)).map(flagName)[0];
  if (first === undefined) return name;
  return value === undefined || value === true ? first : `${first} ${valueText(setting, value)}`;
};

/** What happens if a setting is not given; blank if its description says so. */
export function defaultWords({ otherwise, kind, default: value }: Setting): string {
  if (otherwise !== undefined) return otherwise;
  if (value === undefined || value === null || value === false || kind === 'group') return '';
  return valueText({ kind }, value);
}

/** What the flag of a setting does, in one line. */
export function flagWords(setting: Setting): string {
  if (setting.flag?.switches !== undefined) return setting.flag.switches.says;
  const otherwise = defaultWords(setting);
  return otherwise === '' ? setting.says : `${setting.says} (default: ${otherwise})`;
}

function flagName({ flag }: Setting): string | undefined {
  return flag?.spelling.split(' ')[0];
}

function valueText(setting: Pick<Setting, 'kind'> | undefined, value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'number') return String(value);
  return setting?.kind === 'duration' ? durationText(value) : count(value);
}
