import {
  buildPrompt,
  component,
  consoleSink,
  defaultSink,
  respanGenerate,
  respanTrace,
  sinkMonoid,
} from 'respan-rx'
import { of } from 'rxjs'

// Everything: your own component, a call whose model fails and whose fallback answers, a call balanced between two
// models, its cost, and one trace of it all, which is both shown here and delivered.

const LIBRARY: Readonly<Record<string, string>> = {
  observables: 'An Observable is a lazy push collection of values over time.',
}

const retrieve = component('retriever', (topic: string) =>
  of({ topic, document: LIBRARY[topic] ?? 'Nothing is known of it here.' }),
)

const draft = respanGenerate({
  name: 'draft',
  model: 'out-of-order',
  attributes: {
    customer_identifier: 'user_123',
    thread_identifier: 'conversation_456',
    metadata: { session_id: 'abc123' },
    fallback_models: ['claude-sonnet-4-5'],
    request_breakdown: true,
  },
  params: { temperature: 0.2, max_tokens: 120 },
})

const summary = respanGenerate({
  name: 'summary',
  model: 'gpt-4o-mini',
  attributes: {
    load_balance_models: [
      { model: 'gpt-4o-mini', weight: 3 },
      { model: 'gpt-4o', weight: 1 },
    ],
    request_breakdown: true,
  },
})

of('observables')
  .pipe(
    retrieve,
    buildPrompt('With this in mind: {{ document }}\nTell me about {{ topic }}.'),
    draft,
    buildPrompt('In one sentence: {{ replies[0] }}'),
    summary,
    respanTrace('Everything', {
      sink: sinkMonoid.concat(defaultSink(), consoleSink()),
      attributes: { metadata: { release: '1.0' } },
      onStart: ({ traceUrl }) => console.log(`Trace URL: ${traceUrl}\n`),
    }),
  )
  .subscribe(({ replies, meta }) => {
    console.log(replies[0])
    console.log(`\nSummed up by ${meta[0]?.model} for ${meta[0]?.cost} USD\n`)
  })
