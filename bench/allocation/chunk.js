// What a chunk allocates in our own code: the body comes out of memory, in segments of 1460 bytes, and not out of a socket.

import { allocated, check } from '../lib/measure.js'
import { options, report } from '../lib/processes.js'
import { respan, rxjs } from '../lib/respan.js'
import { bodyOf, streamOf } from '../lib/shapes.js'

const { traced } = options()
const { respanGenerate, respanTrace } = respan
const { filter, lastValueFrom, of, reduce } = rxjs

const SHAPE = 'mss'
const STREAMS = 20

const { expected } = streamOf(SHAPE)
const pieces = bodyOf(SHAPE)
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

const streams = async (count) => {
  for (let done = 0; done < count; done++) {
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
}

await streams(100)
report({ bytes: (await allocated(() => streams(STREAMS))) / (STREAMS * expected.deltas) })
