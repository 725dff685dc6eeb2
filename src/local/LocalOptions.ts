import * as t from 'io-ts'
import { isRight } from '#fp/Either'
import { checked } from '../codecs/checked.js'
import { closed } from '../codecs/closed.js'
import { integerWithin, listOf, numberWithin } from '../codecs/wire.js'
import { InvalidInput } from '../errors.js'
import { openaiBaseUrl } from '../http/baseUrl.js'
import { Fault } from './Fault.js'
import { LocalPrompt } from './LocalPrompt.js'
import type { Upstream } from './Upstream.js'

/** How a local gateway is started. */
export interface LocalOptions {
  /** Default 0, which takes a free port. The address is always 127.0.0.1. */
  readonly port?: number
  /** The bearer token that the API requires, and the pages don't. By default every token is accepted. `gateway` and `sink` send it. */
  readonly apiKey?: string
  /** Managed prompts, by id; they win over files of the same id. */
  readonly prompts?: Readonly<Record<string, LocalPrompt>>
  /** A folder whose `<id>.json` files are managed prompts; read once, at the start. */
  readonly promptsDirectory?: string
  /** Answers instead of the built-in model. */
  readonly upstream?: Upstream
  /** Misbehaviour from the start; `fault()` adds more. */
  readonly faults?: ReadonlyArray<Fault>
  /** Waits before each chunk of a built-in answer, ms, as a model would. Default 0. */
  readonly chunkDelay?: number
  /** Origins of web pages that may call the gateway, such as `http://localhost:5173`. Default: none. */
  readonly origins?: ReadonlyArray<string>
  /** Lets the process end while the gateway is open. Default false. */
  readonly unref?: boolean
  /** Traces kept, the newest. Default 500. */
  readonly maxTraces?: number
  /** Spans kept of all traces together; the oldest traces make room, the newest stays whole. Default 50,000. */
  readonly maxSpans?: number
  /** Requests remembered, the newest. Default 1000. */
  readonly maxRequests?: number
  /** Larger bodies are refused with 413. Default 20 MiB. */
  readonly maxBodyBytes?: number
}

// As browsers send it: with a scheme, and nothing after host and port.
const origin = t.refinement(
  t.string,
  (text) => text === 'null' || /^[a-z][a-z\d+.-]*:\/\/[^/\s]+$/.test(text),
  'origin, such as http://localhost:5173',
)

const Options = closed(
  t.partial(
    {
      port: integerWithin(0, 65_535),
      apiKey: t.string,
      prompts: t.record(t.string, LocalPrompt, 'prompts by id'),
      promptsDirectory: t.string,
      upstream: t.intersection(
        [
          t.type({ baseUrl: t.string }),
          closed(t.partial({ baseUrl: t.string, apiKey: t.string, model: t.string })),
        ],
        'Upstream',
      ),
      faults: t.readonlyArray(Fault, 'list of Fault'),
      chunkDelay: numberWithin(0),
      origins: listOf(origin),
      unref: t.boolean,
      maxTraces: integerWithin(1),
      maxSpans: integerWithin(1),
      maxRequests: integerWithin(1),
      maxBodyBytes: integerWithin(1),
    },
    'LocalOptions',
  ),
)

const withUpstreamUrl = (options: LocalOptions, upstream: Upstream): LocalOptions => {
  const baseUrl = openaiBaseUrl(upstream.baseUrl)
  if (isRight(baseUrl)) return { ...options, upstream: { ...upstream, baseUrl: baseUrl.right } }
  throw new InvalidInput('startLocal', { ...baseUrl.left, path: 'upstream.baseUrl' })
}

/** The options, checked. @throws InvalidInput */
export const checkedOptions = (options: LocalOptions): LocalOptions => {
  checked('startLocal', Options, options)
  return options.upstream === undefined ? options : withUpstreamUrl(options, options.upstream)
}
