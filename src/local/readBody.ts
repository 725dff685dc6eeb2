/**
 * Reads a request's body as UTF-8 text. The limit is on what arrives, because a chunked body announces no length.
 *
 * What lies beyond it stays unread: cancelling the body would break the connection that the refusal goes out on.
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
    if (bytes > maxBytes) return undefined
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}
