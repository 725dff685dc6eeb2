/**
 * Reads a request's body as UTF-8 text. What counts is what arrives, since a chunked body announces no length.
 *
 * Beyond the limit the rest stays unread: cancelling it would break the connection that the refusal goes out on.
 *
 * @returns `undefined` for a body of more than `maxBytes`
 */
export const readBody = async (
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<string | undefined> => {
  if (body === null) return ''
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    bytes += read.value.byteLength
    if (bytes > maxBytes) return undefined
    text += decoder.decode(read.value, { stream: true })
  }
  return text + decoder.decode()
}
