// ky and RxJS, as a first draft has them: lines by splitting, no checks, only the forms that OpenAI itself sends.

import ky from 'ky'
import {
  defer,
  filter,
  from,
  lastValueFrom,
  map,
  mergeMap,
  Observable,
  scan,
  switchMap,
  takeWhile,
  tap,
} from 'rxjs'
import { bodyFor } from '../request.js'

const bytesOf = (response) =>
  new Observable((subscriber) => {
    const reader = response.body.getReader()
    const read = async () => {
      for (;;) {
        const { done, value } = await reader.read()
        if (done || subscriber.closed) return subscriber.complete()
        subscriber.next(value)
      }
    }
    read().catch((error) => subscriber.error(error))
    return () => reader.cancel()
  })

const chunks = (url, body) =>
  defer(() => ky.post(url, { json: body, retry: 0, timeout: false })).pipe(
    switchMap((response) => {
      const decoder = new TextDecoder()
      return bytesOf(response).pipe(map((bytes) => decoder.decode(bytes, { stream: true })))
    }),
    scan(
      ({ rest }, text) => {
        const lines = (rest + text).split('\n')
        return { rest: lines.pop(), lines }
      },
      { rest: '', lines: [] },
    ),
    mergeMap(({ lines }) => from(lines)),
    filter((line) => line.startsWith('data: ')),
    map((line) => line.slice(6)),
    takeWhile((data) => data !== '[DONE]'),
    map((data) => JSON.parse(data)),
  )

export default (baseUrl, kind) => async (onFirst) => {
  const calls = []
  let text = ''
  let deltas = 0
  let usage
  const add = (piece) => {
    if (deltas++ === 0) onFirst()
    return piece
  }
  const read = tap(({ choices, usage: reported }) => {
    if (reported !== null) usage = reported
    for (const { delta } of choices) {
      if (delta.content) text += add(delta.content)
      for (const {
        index,
        function: { arguments: json },
      } of delta.tool_calls ?? []) {
        if (json !== '') calls[index] = (calls[index] ?? '') + add(json)
      }
    }
  })
  await lastValueFrom(chunks(`${baseUrl}/chat/completions`, bodyFor(kind)).pipe(read))
  return { text: kind === 'tools' ? calls.join('\n') : text, deltas, total: usage?.total_tokens }
}
