// Reads a long reply without collecting it.
// node --max-old-space-size=80 longReply.js <base URL> <traced | untraced>

import { memorySink, respanGenerate, respanTrace } from 'respan-rx'
import { lastValueFrom, of, tap } from 'rxjs'

const [, , baseUrl = '', traced] = process.argv

let characters = 0
const sink = memorySink()
const events$ = of('Say a lot').pipe(
  respanGenerate({ model: 'm', stream: true, collect: false, baseUrl }),
  tap((event) => {
    if (event._tag === 'TextDelta') characters += event.text.length
  }),
)
const last = await lastValueFrom(traced === 'traced' ? events$.pipe(respanTrace('long', { sink })) : events$)
process.send?.({
  characters,
  meta: last._tag === 'ReplyFinished' ? last.reply.meta : undefined,
  outputs: sink.spans().map(({ name, status, output }) => ({ name, status, length: output?.length })),
})
process.disconnect()
