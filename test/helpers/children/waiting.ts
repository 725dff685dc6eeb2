// Subscribes streams that have had one large piece of their answers and wait for the next, and reports what the heap has grown by
// for each. Needs --expose-gc.
// node waiting.js <streams>

import { respanGateway, respanGenerate } from 'respan-rx'
import { of, skip } from 'rxjs'

const [, , total = '0'] = process.argv
const streams = Number(total)

const TOKENS = 1_000
const text = (content: string): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`
const piece = new TextEncoder().encode(
  Array.from({ length: TOKENS }, (_, index) => text(` ${index}`)).join(''),
)

const gateway = respanGateway({
  apiKey: 'key',
  fetch: async () =>
    new Response(new ReadableStream({ start: (controller) => controller.enqueue(piece.slice()) }), {
      headers: { 'content-type': 'text/event-stream' },
    }),
})

const ask = of('Hi').pipe(respanGenerate({ model: 'm', gateway, stream: true }))

// Kept, so that nothing of them is collected.
const waiting: Array<unknown> = []
const open = async (): Promise<void> => {
  const last = ask.pipe(skip(TOKENS))
  await new Promise<void>((resolve) => waiting.push(last.subscribe(() => resolve())))
}

const inUse = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

for (let opened = 0; opened < streams; opened += 1) await open()
const before = inUse()
for (let opened = 0; opened < streams; opened += 1) await open()
const growth = (inUse() - before) / streams

process.send?.({ growth, waiting: waiting.length, bytes: piece.length })
process.exit()
