import type { Either } from 'fp-ts/lib/Either.js'
import { left, map, right } from '#fp/Either'
import { Fields } from '../codecs/Fields.js'
import { fieldsOf } from '../codecs/fieldsOf.js'
import { parseJson } from '../http/parseJson.js'
import { type Refusal, refusal } from './Refusal.js'

const fromHeader = (header: string): Either<Refusal, Fields> => {
  // Base64 is the documented form; some pages of the documentation show plain JSON.
  const text = header.trim().startsWith('{') ? header : Buffer.from(header, 'base64').toString('utf8')
  const params = parseJson(text)
  return Fields.is(params)
    ? right(params)
    : left(refusal(400, 'X-Data-Respan-Params is not the base64 of a JSON object'))
}

/**
 * Merges the three ways to pass Respan parameters: the top level of the body wins over `respan_params`
 * (old name: `keywordsai_params`), which wins over the header. Each field is taken as a whole.
 */
export const mergeParams = (body: Fields, header: string | undefined): Either<Refusal, Fields> => {
  const { respan_params: nested, keywordsai_params: old, ...top } = body
  const inBody = { ...fieldsOf(old), ...fieldsOf(nested), ...top }
  if (header === undefined) return right(inBody)
  return map((params: Fields): Fields => ({ ...params, ...inBody }))(fromHeader(header))
}
