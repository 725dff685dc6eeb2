import {
  buildPrompt,
  defaultSink,
  isRespanError,
  memorySink,
  renderTrace,
  respanGateway,
  respanGenerate,
  respanTrace,
  sinkMonoid,
  tokens,
} from 'respan-rx'
import { startLocal } from 'respan-rx/local'
import { lastValueFrom, of, tap } from 'rxjs'
import { hasKey, loadEnvironment } from './environment.js'
import { keyPressed } from './keyPressed.js'

// npm start: the quick start, for real. It runs on the platform when RESPAN_API_KEY is set, otherwise on a local gateway,
// which speaks the same wire contract.

loadEnvironment()
const local = hasKey() ? undefined : await startLocal({ chunkDelay: 15 })
const gateway = local?.gateway ?? respanGateway()
const memory = memorySink()
const sink = sinkMonoid.concat(local?.sink ?? defaultSink(), memory)

console.log(
  local === undefined
    ? 'Using the Respan gateway.\n'
    : `No RESPAN_API_KEY, so this runs on a local gateway at ${local.baseUrl}\nthat answers with a small built-in model. Set the key to run it on Respan.\n`,
)

let url: string | undefined
const failure = await lastValueFrom(
  of({ topic: 'artificial intelligence' }).pipe(
    buildPrompt('Tell me about {{ topic }}.'),
    respanGenerate({ model: 'gpt-4o-mini', stream: true, gateway }),
    tokens(),
    tap((token) => process.stdout.write(token)),
    respanTrace('My Workflow', {
      sink,
      onStart: ({ traceUrl }) => {
        url = traceUrl
      },
    }),
  ),
).then(
  () => undefined,
  (error: unknown) => error,
)
if (failure !== undefined) {
  console.error(isRespanError(failure) ? failure.message : failure)
  process.exitCode = 1
}

const { stdout } = process
const tree = renderTrace(memory.spans(), {
  colors: stdout.isTTY && stdout.hasColors(),
  // A terminal that doesn't know its size reports 0.
  width: stdout.columns || undefined,
})
console.log(`\n\n${tree}`)
if (failure !== undefined) console.log('Delivering the trace …')
const delivered = await sink.close()
console.log(
  delivered._tag === 'Right' ? `Delivered.\nTrace URL: ${url}` : 'The trace could not be delivered.',
)

if (local !== undefined) await keyPressed('The page stays open until you press a key.')
await local?.close()
