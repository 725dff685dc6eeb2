// A Worker that answers with the tokens of a reply, and delivers the trace by a sink of each request's own.

import { finalize, of, take, tap } from 'rxjs'
import {
  bufferedSink,
  component,
  currentSpan,
  respanGenerate,
  respanTrace,
  respanTransport,
  tokens,
} from '../../dist/index.js'

const encoder = new TextEncoder()

const wait = component('wait', async (prompt) => {
  const before = currentSpan()
  await scheduler.wait(1)
  if (currentSpan()?.spanId !== before?.spanId) throw new Error('An await has lost the parent.')
  return prompt
})

export default {
  fetch: (request, { API_KEY: apiKey, BASE_URL: baseUrl }, context) => {
    const connection = { apiKey, baseUrl }
    const sink = bufferedSink(respanTransport(connection), { onWarning: console.error })
    const { readable, writable } = new TransformStream()
    const writer = writable.getWriter()
    const count = Number(new URL(request.url).searchParams.get('count') ?? Number.POSITIVE_INFINITY)
    const written = new Promise((resolve) => {
      of('Tell me about tea.')
        .pipe(
          wait,
          respanGenerate({ model: 'gpt-4o-mini', stream: true, ...connection }),
          tokens(),
          take(count),
          respanTrace('Worker', { sink }),
          tap({ next: (token) => writer.write(encoder.encode(token)), complete: () => writer.close() }),
          finalize(resolve),
        )
        .subscribe({ error: (error) => writer.abort(error) })
    })
    context.waitUntil(written.then(() => sink.flush()))
    return new Response(readable)
  },
}
