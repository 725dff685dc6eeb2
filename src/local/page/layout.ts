import { html, raw } from 'hono/html'
import { STYLES } from './styles.js'

/** A piece of HTML in which every value is escaped. */
export type Markup = ReturnType<typeof html>

/** What a request for a page says. */
export interface PageRequest {
  readonly host: string
  /** Whether the page should stay as it is rather than reload by itself. */
  readonly isStill: boolean
}

/** A whole page. */
export const layout = (page: {
  readonly title: string
  /** The text of a link to the list of traces. */
  readonly crumb?: string
  readonly host: string
  /** Seconds after which the page reloads. */
  readonly refresh?: number
  readonly content: Markup
}): Markup => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${page.refresh === undefined ? '' : html`<meta http-equiv="refresh" content="${page.refresh}">`}
<title>${page.title}</title>
<link rel="icon" href="/favicon.svg">
<style>${raw(STYLES)}</style>
</head>
<body>
<header class="top">
<a class="brand" href="/traces">respan-rx local</a>
${page.crumb === undefined ? '' : html`<span class="sep">/</span><a class="up" href="/traces">${page.crumb}</a>`}
<span class="where">${page.host}</span>
</header>
<main>
${page.content}
</main>
<footer>Kept in memory by this process; gone when it ends.</footer>
</body>
</html>`
