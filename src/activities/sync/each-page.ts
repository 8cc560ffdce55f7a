import { log } from '@temporalio/activity';
import { KlaviyoRefusedError } from '../../klaviyo/index.js';

/** A reading begins so often at most: what is refused again and again is not the cursor's fault. */
const BEGINNINGS = 3;

/**
 * Reads all pages of a source. If Klaviyo no longer takes a cursor, it begins again with the first page, so
 * `use` may get profiles twice.
 *
 * @param read the page at a cursor of Klaviyo's; the first one at null
 */
export async function eachPage<Page extends { readonly next: string | null }>(
  read: (cursor: string | null) => Promise<Page>,
  use: (page: Page) => Promise<void> | void,
): Promise<void> {
  let begun = 1;
  for (let cursor: string | null = null; ;) {
    let page: Page;
    try {
      page = await read(cursor);
    } catch (error) {
      const isCursors = cursor !== null && error instanceof KlaviyoRefusedError;
      if (!isCursors || begun === BEGINNINGS) throw error;
      log.warn('Klaviyo refuses a cursor: the reading begins again.', { failure: error.failure });
      begun += 1;
      cursor = null;
      continue;
    }
    await use(page);
    cursor = page.next;
    if (cursor === null) return;
  }
}
