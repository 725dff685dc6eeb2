import {
  buildPrompt,
  component,
  consoleSink,
  defaultSink,
  respanGenerate,
  respanTrace,
  sinkMonoid,
  withFallback,
} from 'respan-rx'
import { of } from 'rxjs'

// Everything: a component of one's own, a gateway call with fallback models, load balancing and its cost, a
// second gateway call for when the first one fails altogether, one trace for all of it, shown here and delivered.

const LIBRARY: Readonly<Record<string, string>> = {
  'rx observables': 'An Observable is a lazy push collection of values over time.',
}

const retrieve = component('retriever', (topic: string) =>
  of({ topic, document: LIBRARY[topic] ?? 'Nothing is known of it here.' }),
)

const careful = respanGenerate({
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

const balanced = respanGenerate({
  model: 'gpt-4o-mini',
  name: 'balanced',
  attributes: {
    load_balance_group: {
      group_id: 'writers',
      models: [
        { model: 'gpt-4o-mini', weight: 3 },
        { model: 'gpt-4o', weight: 1 },
      ],
    },
    request_breakdown: true,
  },
})

of('rx observables')
  .pipe(
    retrieve,
    buildPrompt('With this in mind: {{ document }}\nTell me about {{ topic }}.'),
    withFallback(careful, balanced),
    respanTrace('Everything', {
      sink: sinkMonoid.concat(defaultSink(), consoleSink()),
      attributes: { metadata: { release: '1.0' } },
      onStart: ({ traceUrl }) => console.log(`Trace URL: ${traceUrl}\n`),
    }),
  )
  .subscribe(({ replies, meta }) => {
    console.log(replies[0])
    console.log(`\nAnswered by ${meta[0]?.model} for ${meta[0]?.cost} USD\n`)
  })
