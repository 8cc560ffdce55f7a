/** Lines of a request body, numbered from 1; blank ones are skipped. */
export async function* linesOf(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ number: number; text: string }> {
  const decoder = new TextDecoder();
  let rest = '';
  let number = 0;
  for await (const chunk of body) {
    const pieces = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = pieces.pop()!;
    for (const text of pieces) {
      number += 1;
      if (text.trim() !== '') yield { number, text };
    }
  }
  rest += decoder.decode();
  if (rest.trim() !== '') yield { number: number + 1, text: rest };
}

const LINES_A_CHUNK = 500;

/** A streamed answer with one JSON object per line. */
export function ndjson(rows: Iterable<unknown>): Response {
  const iterator = rows[Symbol.iterator]();
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      let chunk = '';
      for (let line = 0; line < LINES_A_CHUNK; line++) {
        const next = iterator.next();
        if (next.done === true) {
          if (chunk !== '') controller.enqueue(encoder.encode(chunk));
          controller.close();
          return;
        }
        chunk += `${JSON.stringify(next.value)}\n`;
      }
      controller.enqueue(encoder.encode(chunk));
    },
  });
  return new Response(stream, { headers: { 'content-type': 'application/x-ndjson' } });
}
