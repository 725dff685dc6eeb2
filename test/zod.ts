// What users of Zod meet: its schemas are no codecs, and ask for JSON all the same.

import test from 'ava'
import { buildPrompt, decode, InvalidInput, respanGenerate } from 'respan-rx'
import { startLocal } from 'respan-rx/local'
import { lastValueFrom, of } from 'rxjs'
import { z } from 'zod'

const Place = z.object({ city: z.string(), inhabitants: z.number() })

test('a Zod schema asks for JSON, and reads it', async (t) => {
  const { gateway, close } = await startLocal()
  t.teardown(close)
  const ask = respanGenerate({
    model: 'gpt-4o-mini',
    gateway,
    params: {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'place', strict: true, schema: z.toJSONSchema(Place) },
      },
    },
  })
  const { replies } = await lastValueFrom(of('Where is the Louvre?').pipe(ask))
  const read = Place.safeParse(JSON.parse(replies[0] ?? ''))
  t.true(read.success)
  t.deepEqual(Object.keys(read.data ?? {}), ['city', 'inhabitants'])
})

test('a Zod schema is refused where a codec is meant', (t) => {
  // What a caller without types can give.
  const codec = Place as never
  for (const build of [() => decode(codec), () => buildPrompt('{{ city }}', { variables: codec })]) {
    const error = t.throws(build, { instanceOf: InvalidInput })
    t.regex(error?.expected ?? '', /^an io-ts codec/)
  }
})
