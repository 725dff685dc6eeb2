// Streams whose bodies come out of memory, in segments of 1460 bytes, and not out of a socket: what remains is our own code.

import { check } from '../lib/measure.js'
import { respan, rxjs } from '../lib/respan.js'
import { bodyOf, streamOf } from '../lib/shapes.js'

const { respanGenerate, respanTrace } = respan
const { filter, lastValueFrom, of, reduce } = rxjs

/**
 * Makes what reads a stream of a shape to its end, checked.
 *
 * @param {string} shape
 * @param {boolean} traced
 */
export const reader = (shape, traced) => {
  const { expected } = streamOf(shape)
  const pieces = bodyOf(shape)
  const answer = async () => {
    let next = 0
    const pull = (controller) =>
      next < pieces.length ? controller.enqueue(pieces[next++]) : controller.close()
    return new Response(new ReadableStream({ pull }), { headers: { 'content-type': 'text/event-stream' } })
  }
  const generate = respanGenerate({
    model: 'gpt-4o-mini',
    stream: true,
    baseUrl: 'http://127.0.0.1',
    fetch: answer,
  })
  const trace = traced ? respanTrace('allocation', { sink: { next: () => undefined } }) : (source) => source
  const read = async () => {
    const length = await lastValueFrom(
      of('Go on.').pipe(
        generate,
        trace,
        filter(({ _tag }) => _tag === 'TextDelta'),
        reduce((sum, { text }) => sum + text.length, 0),
      ),
    )
    check('length', length, expected.text.length)
  }
  return { read, deltas: expected.deltas }
}
