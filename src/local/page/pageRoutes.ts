import { createHash } from 'node:crypto'
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import type { LocalEnv, LocalState } from '../LocalState.js'
import { traceView } from '../traceView.js'
import { layout, type Markup, type PageRequest } from './layout.js'
import { STYLES } from './styles.js'
import { traceListPage } from './traceListPage.js'
import { tracePage } from './tracePage.js'

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect x="1" y="2" width="10" height="3" rx="1.5" fill="#5a52d5"/><rect x="4" y="6.5" width="11" height="3" rx="1.5" fill="#0c8577"/><rect x="4" y="11" width="6" height="3" rx="1.5" fill="#c02b3b"/></svg>'

// No script, no frame, no form, nothing from elsewhere, and only the one style sheet, by its hash.
const policy = (): string =>
  [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(STYLES).digest('base64')}'`,
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

const MOST_TRACES = 200

// Any id may be stored, but a URL can ask only for one of reasonable length, without control characters.
const isId = (id: string): boolean => id !== '' && id.length <= 512 && !/\p{Cc}/u.test(id)

/** The pages: the list of traces, and each trace. Every value in them is escaped. */
export const pageRoutes = ({ traces }: LocalState): Hono<LocalEnv> => {
  const headers = {
    'content-security-policy': policy(),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  }
  const page = async (markup: Markup, status = 200): Promise<Response> =>
    new Response(String(await markup), {
      status,
      headers: { 'content-type': 'text/html; charset=utf-8', ...headers },
    })
  const requestOf = ({ req }: Context<LocalEnv>): PageRequest => ({
    host: req.header('host') ?? '',
    isStill: req.query('still') !== undefined,
  })
  return new Hono<LocalEnv>()
    .get('/', (c) => c.redirect('/traces'))
    .get(
      '/favicon.svg',
      () =>
        new Response(ICON, {
          headers: { ...headers, 'content-type': 'image/svg+xml', 'cache-control': 'max-age=86400' },
        }),
    )
    .get('/traces', (c) => {
      const ids = traces.ids()
      const views = ids.slice(0, MOST_TRACES).map((id) => traceView(id, traces.trace(id) ?? []))
      return page(traceListPage(views, ids.length, requestOf(c)))
    })
    .get('/traces/:id', (c) => {
      const id = c.req.param('id')
      const spans = isId(id) ? traces.trace(id) : undefined
      if (spans !== undefined) return page(tracePage(traceView(id, spans), requestOf(c)))
      const content = html`<h1>No such trace</h1><div class="id">${isId(id) ? id : ''}</div><p>It has not arrived yet, or had to make room for newer ones.</p>`
      const { host } = requestOf(c)
      return page(layout({ title: 'No such trace', crumb: 'Traces', host, refresh: 2, content }), 404)
    })
}
