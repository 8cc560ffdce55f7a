/** The settings of a request as tables of the documentation. */
import { defaultWords } from '../../src/cli/request-words.ts';

/** The settings that the CLI takes, with their names in scripts. */
export function flagsTable(settings) {
  return table(
    ['flag', 'in a script', 'default', 'meaning'],
    settings
      .filter(({ flag }) => flag !== undefined)
      .map((setting) => [
        code(setting.flag.spelling),
        code(setting.name),
        defaultCell(setting),
        meaning(setting),
      ]),
  );
}

/** The settings that only scripts can give. */
export function scriptsTable(settings) {
  return table(
    ['in a script', 'default', 'meaning'],
    settings
      .filter(({ flag, kind }) => flag === undefined && kind !== 'group')
      .map((setting) => [code(setting.name), defaultCell(setting), meaning(setting)]),
  );
}

export function table(head, rows) {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export const code = (text) => `\`${text}\``;

/** A value is shown as code; a default behaviour in words. */
function defaultCell(setting) {
  const words = defaultWords(setting);
  // Without a switch, the CLI gives a value of its own.
  const off = setting.flag?.switches?.off;
  if (off !== undefined) return `${code(off.toLocaleString('en-US'))}; in a script: ${words}`;
  return words === '' || setting.otherwise !== undefined ? words : code(words);
}

function meaning({ says, flag }) {
  return flag?.switches === undefined
    ? says
    : `${says}; ${code(flag.spelling)}: ${flag.switches.says}`;
}
