import { noop } from 'rxjs'

/**
 * Reads a request's body as UTF-8 text. The limit is on what arrives, because a chunked body announces no length.
 *
 * What lies beyond it is thrown away as it comes. Left unread, or cancelled, it would break the connection, on which the
 * refusal goes out and the next request may follow; the server itself breaks it if there is no end to the body.
 *
 * @returns `undefined` for a body of more than `maxBytes`
 */
export const readBody = async (
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<string | undefined> => {
  if (body === null) return ''
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of body.values({ preventCancel: true })) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) break
    text += decoder.decode(chunk, { stream: true })
  }
  if (bytes <= maxBytes) return text + decoder.decode()
  body.pipeTo(new WritableStream()).catch(noop)
  return undefined
}
