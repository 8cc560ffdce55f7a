import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { PRESET_NAMES } from '../../src/importers/presets/names.js';
import { parseMapping } from '../../src/importers/mapping/mapping-file.js';
import type { ConsentChannel } from '../../src/contracts/channels.js';
import type { IntentPart } from '../../src/contracts/intents.js';
import { openSource } from '../../src/importers/open-source.js';
import { intentsOfSource, OPTIONS, withFile } from '../support/sources.js';

interface Example {
  readonly language: string;
  readonly layout: string;
  readonly channels: readonly ConsentChannel[];
  readonly text: string;
}

/** The repository is the folder of package.json, from the sources as from the build. */
function documentation(): string {
  const roots = ['../../', '../../../'].map((up) => new URL(up, import.meta.url));
  for (const root of roots) {
    try {
      return readFileSync(new URL('docs/sources.md', root), 'utf8');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  throw new Error('docs/sources.md is not found');
}

/** Fenced blocks with a language, a layout, and the channels that a run of it asks for. */
function examples(): Example[] {
  const blocks = documentation().matchAll(/^```(\w+) ([\w-]+)(?: ([\w,]+))?\n(.*?)^```$/gms);
  return [...blocks].map(([, language = '', layout = '', channels = 'email', text = '']) => ({
    language,
    layout,
    channels: channels.split(',') as ConsentChannel[],
    text,
  }));
}

describe('the examples of docs/sources.md', () => {
  const all = examples();
  const [yaml] = all.filter(({ language }) => language === 'yaml');
  const mapping = parseMapping(yaml?.text ?? '', 'docs/sources.md');
  const sources = all.filter(({ language }) => language !== 'yaml');

  for (const { language, layout, channels, text } of sources) {
    it(`are read without a refusal: ${layout}, ${language}`, async () => {
      const options = { ...OPTIONS, channels, undated: 'subscribe' } as const;
      await withFile(text, async (file) => {
        const source = await openSource(
          file,
          layout === 'mapping' ? { ...options, mapping } : options,
        );
        assert.equal(source.preset, layout);
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
    assert.deepEqual(shown, new Set([...PRESET_NAMES, 'mapping']));
  });
});
