import { html } from 'hono/html'
import { formatCount } from './format.js'
import type { Markup } from './layout.js'

/**
 * For how many characters of content a page has room left: what shows some takes it from here. Traces hold hundreds of
 * megabytes, of which a browser, and this process, can take a few as HTML.
 */
export interface Room {
  left: number
}

/** Shows something in at most `most` characters of the room; what follows has the rest. */
export const atMost = (most: number, room: Room, show: (room: Room) => Markup): Markup => {
  const given = Math.min(room.left, most)
  const own = { left: given }
  const markup = show(own)
  room.left -= given - own.left
  return markup
}

// What the markup around a piece counts for: a million empty messages take room as well.
const PIECE = 100

/** Shows the items of a list until there is no more room, and how many those are which are left out. */
export const each = <A>(
  items: ReadonlyArray<A>,
  room: Room,
  show: (item: A, room: Room) => Markup,
): Markup => {
  const markups: Array<Markup> = []
  for (const item of items) {
    if (room.left <= 0) break
    markups.push(show(item, room))
    room.left -= PIECE
  }
  const hidden = items.length - markups.length
  return html`${markups}${hidden > 0 ? html`<p class="cut">… ${formatCount(hidden)} more</p>` : ''}`
}
