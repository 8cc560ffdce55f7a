import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PRESET_NAMES } from '../../src/importers/presets/names.js';
import { parseMapping } from '../../src/importers/mapping/mapping-file.js';
import type { ConsentChannel } from '../../src/contracts/channels.js';
import type { IntentPart } from '../../src/contracts/intents.js';
import { openSource } from '../../src/importers/open-source.js';
import { documentation, mappingOf } from '../support/documentation.js';
import { intentsOfSource, OPTIONS, withFile } from '../support/sources.js';

interface Example {
  readonly language: string;
  readonly layout: string;
  readonly channels: readonly ConsentChannel[];
  readonly text: string;
}

/** Fenced blocks with a language, a layout, and the channels that a run of it asks for. */
function examples(): Example[] {
  const blocks = documentation('sources.md').matchAll(
    /^```(\w+) ([\w-]+)(?: ([\w,]+))?\n(.*?)^```$/gms,
  );
  return [...blocks].map(([, language = '', layout = '', channels = 'email', text = '']) => ({
    language,
    layout,
    channels: channels.split(',') as ConsentChannel[],
    text,
  }));
}

/** The mappings of docs/mappings, as the page links to them. */
const FILES = [...documentation('sources.md').matchAll(/\(mappings\/([\w-]+)\.yaml\)/g)].map(
  ([, name = '']) => name,
);

describe('the examples of docs/sources.md', () => {
  const all = examples();
  const [yaml] = all.filter(({ language }) => language === 'yaml');
  const mapping = parseMapping(yaml?.text ?? '', 'docs/sources.md');
  const sources = all.filter(({ language }) => language !== 'yaml');

  for (const { language, layout, channels, text } of sources) {
    it(`are read without a refusal: ${layout}, ${language}`, async () => {
      const options = { ...OPTIONS, channels, undated: 'subscribe' } as const;
      const [, mapped] = /^mapping-(.+)$/.exec(layout) ?? [];
      await withFile(text, async (file) => {
        const source = await openSource(file, {
          ...options,
          ...(layout === 'mapping' ? { mapping } : {}),
          ...(mapped === undefined ? {} : { mapping: mappingOf(mapped) }),
          ...(layout === 'attentive-events' ? { preset: layout } : {}),
        });
        assert.equal(source.preset, mapped === undefined ? layout : 'mapping');
        const intents = await intentsOfSource(source);
        await source.close();
        const parts = intents.flatMap((intent) => intent.parts);
        assert.ok(parts.length > 0);
        assert.deepEqual(
          parts.filter(({ rejected }) => rejected !== null),
          [],
        );
        // Each channel that the example is about is in it.
        for (const channel of channels) {
          const isAbout = (part: IntentPart) =>
            part.channel === channel || (channel === 'email' && part.channel === 'suppression');
          assert.ok(parts.some(isAbout));
        }
      });
    });
  }

  it('are of every layout', () => {
    const shown = new Set(sources.map(({ layout }) => layout));
    const mappings = FILES.map((name) => `mapping-${name}`);
    assert.deepEqual(shown, new Set([...PRESET_NAMES, 'mapping', ...mappings]));
  });
});
