/** An answer that is not a success: its status, and its body as the platform sends it. */
export interface Refusal {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** A refusal with a sentence: `{ detail }`. */
export const refusal = (status: number, detail: string): Refusal => ({ status, body: { detail } })

/** The request is JSON, but says something impossible: 422, by field. */
export const invalid = (errors: Readonly<Record<string, ReadonlyArray<string>>>): Refusal => ({
  status: 422,
  body: { detail: 'Validation error', errors },
})
