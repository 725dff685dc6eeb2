import { randomBytes, randomUUID } from 'node:crypto'
import type { Either } from 'fp-ts/lib/Either.js'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { isLeft, left, right } from '#fp/Either'
import { isSecretHeader } from '../http/Scrub.js'
import { chatRoute } from './chatRoute.js'
import { embeddingsRoute } from './embeddingsRoute.js'
import { ingestRoute } from './ingestRoute.js'
import type { LocalEnv, LocalState } from './LocalState.js'
import { publicModels } from './models.js'
import { pageRoutes } from './page/pageRoutes.js'
import { parseShallow } from './parseShallow.js'
import { promptRoutes } from './promptRoutes.js'
import { INVALID_KEY, type Refusal, refusal } from './Refusal.js'
import { readBody } from './readBody.js'
import { sendJson, sendRefusal } from './send.js'
import { traceRoutes } from './traceRoutes.js'

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/iu

// Any web page can reach a server on loopback: under its own name by DNS rebinding, or by a cross-origin POST. Hence only
// loopback names and known origins are let in.
const guard =
  ({ origins }: LocalState): MiddlewareHandler<LocalEnv> =>
  async (c, next) => {
    const host = c.req.header('host') ?? ''
    if (!LOOPBACK.test(host)) return sendRefusal(refusal(403, 'This server answers on loopback only'))
    const origin = c.req.header('origin')
    if (origin !== undefined && origin !== `http://${host}` && !origins.includes(origin)) {
      return sendRefusal(
        refusal(403, `Origin not allowed: pass { origins: [${JSON.stringify(origin)}] } to startLocal`),
      )
    }
    return next()
  }

const withoutSecrets = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, isSecretHeader(name) ? '[redacted]' : value]),
  )

/** Why a request's key is refused; `undefined` when it is right, or not needed. */
const keyRefusal = ({ apiKey }: LocalState, { req }: Context<LocalEnv>): Refusal | undefined => {
  if (apiKey === undefined || req.path.startsWith('/api/models/public')) return undefined
  const given = (req.header('authorization') ?? '').trim()
  if (/^(?:Bearer)?$/iu.test(given)) return refusal(401, 'Authentication credentials were not provided.')
  return given === `Bearer ${apiKey}` ? undefined : refusal(401, INVALID_KEY)
}

/** A request's body, which is read only when the key is right. */
const bodyText = async (state: LocalState, c: Context<LocalEnv>): Promise<Either<Refusal, string>> => {
  const refused = keyRefusal(state, c)
  if (refused !== undefined) return left(refused)
  const text = await readBody(c.req.raw.body, state.maxBodyBytes)
  return text === undefined ? left(refusal(413, 'Request entity too large')) : right(text)
}

const recorded =
  (state: LocalState): MiddlewareHandler<LocalEnv> =>
  async (c, next) => {
    const logId = randomBytes(16).toString('hex')
    const text = await bodyText(state, c)
    const body = isLeft(text) ? undefined : parseShallow(text.right)
    const { method, path } = c.req
    const record = state.log.open(
      {
        method,
        path,
        headers: withoutSecrets(c.req.header()),
        logId,
        ...(body === undefined ? {} : { body }),
      },
      isLeft(text) ? 0 : text.right.length,
    )
    c.set('body', body)
    c.set('record', record)
    if (isLeft(text)) c.res = sendRefusal(text.left)
    else await next()
    c.res.headers.set('x-respan-log-id', logId)
    c.res.headers.set('x-respan-gateway-request-id', randomUUID())
    record.update({ status: c.res.status })
    if (c.get('endsLater') !== true) record.end(c.req.raw.signal.aborted ? 'aborted' : 'completed')
  }

/** All that a local gateway answers, as one Hono application. */
export const app = (state: LocalState): Hono<LocalEnv> => {
  const ingest = ingestRoute(state)
  const modelRoutes = (): Hono<LocalEnv> =>
    new Hono<LocalEnv>()
      .use(recorded(state))
      .post('/chat/completions', chatRoute(state))
      .post('/embeddings', embeddingsRoute(state))
  const api = modelRoutes()
    .post('/v1/traces/ingest', ingest)
    // Where the platform's exporter for the Vercel AI SDK sends its spans.
    .post('/integrations/v1/traces/ingest', ingest)
    .route('/prompts', promptRoutes(state))
    .route('/traces', traceRoutes(state))
    .get('/models/public', (c) => sendJson(c, { models: publicModels() }))
  // For clients whose base URL ends in `/v1` like OpenAI's, or leaves out `/api` as some documentation does.
  const aliases = modelRoutes().post('/traces/ingest', ingest)
  const exposed = ['x-respan-log-id', 'x-respan-gateway-request-id', 'retry-after']
  return new Hono<LocalEnv>({ strict: false })
    .use(guard(state))
    .use(cors({ origin: [...state.origins], exposeHeaders: exposed }))
    .route('/api', api)
    .route('/v1', aliases)
    .route('/', pageRoutes(state))
    .notFound(() => sendRefusal(refusal(404, 'Not found.')))
    .onError((error) =>
      sendRefusal({
        status: 500,
        body: { detail: `Internal server error: ${error.message}`, error_code: 'INTERNAL_ERROR' },
      }),
    )
}
