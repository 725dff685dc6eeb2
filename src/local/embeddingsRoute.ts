import type { Context } from 'hono'
import * as t from 'io-ts'
import { isLeft, left, mapLeft, right } from '#fp/Either'
import { decode } from '../codecs/decode.js'
import { Fields } from '../codecs/Fields.js'
import { integerWithin, oneOf, wire } from '../codecs/wire.js'
import { answering } from './answering.js'
import { embed } from './embed.js'
import type { LocalEnv, LocalState } from './LocalState.js'
import { unknownModel } from './models.js'
import { invalidField, refusal } from './Refusal.js'
import { countTokens } from './tokensOf.js'

const Text = t.refinement(t.string, (text) => text !== '', 'non-empty string')

const MOST_TEXTS = 2_048

const Texts = t.refinement(
  t.readonlyArray(Text, 'list of strings'),
  ({ length }) => length > 0 && length <= MOST_TEXTS,
  `list of 1 to ${MOST_TEXTS} strings`,
)

const EmbeddingsRequest = wire(
  t.intersection([
    t.type({ model: Text, input: t.union([Text, Texts], `${Text.name}, or ${Texts.name}`) }),
    t.partial({ encoding_format: oneOf('float', 'base64'), dimensions: integerWithin(1, 8192) }),
  ]),
  'EmbeddingsRequest',
)

const SIZES: Readonly<Record<string, number>> = { 'text-embedding-3-large': 3072 }

/** `POST /api/embeddings`: vectors made of words (see `embed`). */
export const embeddingsRoute = (state: LocalState): ((c: Context<LocalEnv>) => Promise<Response>) =>
  answering(state, 'embeddings', (c) => {
    const body = c.get('body')
    if (!Fields.is(body)) return left(refusal(400, 'Invalid request format'))
    const decoded = mapLeft(invalidField)(decode(EmbeddingsRequest)(body))
    if (isLeft(decoded)) return decoded
    const { dimensions, encoding_format: format, input, model } = decoded.right
    const unknown = unknownModel(model)
    if (unknown !== undefined) return left(unknown)
    const texts = typeof input === 'string' ? [input] : input
    const tokens = texts.reduce((sum, text) => sum + countTokens(text), 0)
    return right({
      object: 'list',
      data: texts.map((text, index) => {
        const vector = embed(text, dimensions ?? SIZES[model] ?? 1536)
        const bytes = format === 'base64' ? Buffer.from(Float32Array.from(vector).buffer) : undefined
        return { object: 'embedding', index, embedding: bytes?.toString('base64') ?? vector }
      }),
      model,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    })
  })
