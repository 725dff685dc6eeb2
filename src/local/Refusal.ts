import type { DecodeFailure } from '../codecs/DecodeFailure.js'

/** An answer that is not a success: its status, and its body as the platform sends it. */
export interface Refusal {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** A refusal with a sentence: `{ detail }`. */
export const refusal = (status: number, detail: string): Refusal => ({ status, body: { detail } })

/** What the platform answers to a key that it does not know. */
export const INVALID_KEY =
  'Your API key is invalid or expired, please check your API key at https://platform.respan.ai/platform/api/api-keys'

/** An error as OpenAI reports it after output began. */
export const SERVER_ERROR = {
  error: {
    message: 'The server had an error while processing your request.',
    type: 'server_error',
    param: null,
    code: null,
  },
}

/** A refusal of JSON that says something impossible: 422, with what is wrong by field. */
export const invalid = (errors: Readonly<Record<string, ReadonlyArray<string>>>): Refusal => ({
  status: 422,
  body: { detail: 'Validation error', errors },
})

/** What is wrong with a value, as the platform would say it. */
export const failureText = ({ path, expected, found }: DecodeFailure): string =>
  `${path === '' ? '' : `${path}: `}expected ${expected}, found ${found}`

/** A decode failure as a 422, under the field it is about. */
export const invalidField = (failure: DecodeFailure): Refusal =>
  invalid({ [/^[^.[]+/u.exec(failure.path)?.[0] ?? 'non_field_errors']: [failureText(failure)] })
