// A Worker that answers with the tokens of a reply, and delivers the trace when that has ended.

import { finalize, of, take, tap } from 'rxjs'
import {
  component,
  consoleSink,
  currentSpan,
  defaultSink,
  respanGenerate,
  respanTrace,
  tokens,
} from '../../dist/index.js'

const encoder = new TextEncoder()

const wait = component('wait', async (prompt) => {
  const before = currentSpan()
  await scheduler.wait(20 * Math.random())
  if (currentSpan()?.spanId !== before?.spanId) throw new Error('An await has lost the parent.')
  return prompt
})

export default {
  fetch: async (request, _environment, context) => {
    const { readable, writable } = new TransformStream()
    const writer = writable.getWriter()
    const { searchParams } = new URL(request.url)
    if (searchParams.has('broken')) {
      const write = () => {
        throw new Error('no place to write to')
      }
      of(1)
        .pipe(respanTrace('Broken', { sink: consoleSink({ write }) }))
        .subscribe()
      return new Response('traced')
    }
    const count = Number(searchParams.get('count') ?? Number.POSITIVE_INFINITY)
    const ended = new Promise((resolve) => {
      of('Tell me about tea.')
        .pipe(
          wait,
          respanGenerate({ model: 'gpt-4o-mini', stream: true }),
          tokens(),
          take(count),
          respanTrace('Worker'),
          tap({ next: (token) => writer.write(encoder.encode(token)), complete: () => writer.close() }),
          finalize(resolve),
        )
        .subscribe({ error: (error) => writer.abort(error) })
    })
    if (!searchParams.has('unflushed')) context.waitUntil(ended.then(() => defaultSink().flush()))
    // A request that has answered ends with its flush; one that still streams lasts longer.
    return new Response(searchParams.has('whole') ? await new Response(readable).text() : readable)
  },
}
