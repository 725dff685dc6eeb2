// node tools/foreign/exporter.mjs, after `npm run build` and `npm ci --ignore-scripts` in this folder: the platform's
// published exporter for the Vercel AI SDK (@keywordsai/exporter-vercel) posts its JSON spans to our local gateway.

import assert from 'node:assert/strict'
import { KeywordsAIExporter } from '@keywordsai/exporter-vercel'
import { startLocal } from '../../dist/local/index.js'

const TRACE = '0af7651916cd43dd8448eb211c80319c'

/** A finished span, as an OpenTelemetry processor hands it to an exporter. */
const span = (spanId, parentSpanId, name, attributes) => ({
  name,
  kind: 0,
  spanContext: () => ({ traceId: TRACE, spanId, traceFlags: 1 }),
  ...(parentSpanId === undefined
    ? {}
    : { parentSpanId, parentSpanContext: { traceId: TRACE, spanId: parentSpanId } }),
  startTime: [1_772_870_400, 0],
  endTime: [1_772_870_401, 0],
  duration: [1, 0],
  status: { code: 0 },
  attributes,
  links: [],
  events: [],
  ended: true,
  resource: { attributes: {} },
  instrumentationLibrary: { name: 'ai' },
  instrumentationScope: { name: 'ai' },
})

const local = await startLocal({ apiKey: 'key' })
try {
  const exporter = new KeywordsAIExporter({ apiKey: 'key', baseUrl: local.baseUrl })
  const answered = await new Promise((resolve) =>
    exporter.export(
      [
        span('b7ad6b7169203331', undefined, 'ai.generateText', {
          'operation.name': 'ai.generateText',
          'ai.prompt': '{"prompt":"tea?"}',
          'ai.response.text': 'Tea.',
        }),
        span('b7ad6b7169203332', 'b7ad6b7169203331', 'ai.generateText.doGenerate', {
          'operation.name': 'ai.generateText.doGenerate',
          'ai.model.id': 'gpt-4o-mini',
          'ai.prompt.messages': '[{"role":"user","content":"tea?"}]',
          'ai.response.text': 'Tea.',
          'gen_ai.usage.input_tokens': 3,
          'gen_ai.usage.output_tokens': 2,
        }),
      ],
      resolve,
    ),
  )
  assert.equal(answered.code, 0, String(answered.error))
  const spans = local.spans()
  assert.ok(spans.length > 0, 'no span arrived')
  assert.ok(spans.every(({ trace_unique_id }) => trace_unique_id === TRACE))
  assert.match(await (await fetch(local.traceUrl(TRACE))).text(), /ai\.generateText/)
  console.log(`@keywordsai/exporter-vercel delivered ${spans.length} spans.`)
} finally {
  await local.close()
}
