// How many spans a batch holds, and how many of these have what they were given, in each of the forms in which the
// contestants send them.

import { gunzipSync } from 'node:zlib'
import { attributes } from '../spans/work.js'

const VARINT_END = 128

/** The parts of a protobuf message that have this field number and a length. */
const fields = (bytes, number) => {
  const found = []
  let at = 0
  const varint = () => {
    let value = 0
    for (let shift = 1; ; shift *= VARINT_END) {
      const byte = bytes[at++]
      value += (byte & 127) * shift
      if (byte < VARINT_END) return value
    }
  }
  while (at < bytes.length) {
    const key = varint()
    switch (key & 7) {
      case 0:
        varint()
        break
      case 1:
        at += 8
        break
      case 2: {
        const length = varint()
        if (key >>> 3 === number) found.push(bytes.subarray(at, at + length))
        at += length
        break
      }
      case 5:
        at += 4
        break
      default:
        throw new Error('Not protobuf.')
    }
  }
  return found
}

/** ExportTraceServiceRequest.resource_spans = 1, ResourceSpans.scope_spans = 2, ScopeSpans.spans = 2. */
const inProtobuf = (bytes) =>
  fields(bytes, 1)
    .flatMap((resource) => fields(resource, 2))
    .flatMap((scope) => fields(scope, 2)).length

const inJson = (body) =>
  Array.isArray(body)
    ? body.length
    : body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans).flatMap(({ spans }) => spans).length

/**
 * @param {Buffer} body
 * @param {import('node:http').IncomingHttpHeaders} headers
 */
export const countSpans = (body, headers) => {
  const bytes = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
  const text = bytes.toString('latin1')
  return {
    spans: headers['content-type']?.includes('protobuf')
      ? inProtobuf(bytes)
      : inJson(JSON.parse(bytes.toString())),
    attributed: text.split(attributes.customer_identifier).length - 1,
  }
}
