import { html } from 'hono/html'
import { formatCount } from './format.js'
import type { Markup } from './layout.js'

/**
 * How many more characters of content a page has room for; whatever shows some takes them from here. Traces hold hundreds of
 * megabytes, but as HTML a browser, and this process, can handle only a few.
 */
export interface Room {
  left: number
}

/** Shows something in at most `most` characters of the room; the rest is left for what follows. */
export const atMost = (most: number, room: Room, show: (room: Room) => Markup): Markup => {
  const given = Math.min(room.left, most)
  const own = { left: given }
  const markup = show(own)
  room.left -= given - own.left
  return markup
}

// Characters that the markup around an item counts as: a million empty messages take room, too.
const MARKUP = 100

/** Shows the items of a list while there is room, and then how many are left out. */
export const each = <A>(
  items: ReadonlyArray<A>,
  room: Room,
  show: (item: A, room: Room) => Markup,
): Markup => {
  const markups: Array<Markup> = []
  for (const item of items) {
    if (room.left <= 0) break
    markups.push(show(item, room))
    room.left -= MARKUP
  }
  const hidden = items.length - markups.length
  return html`${markups}${hidden > 0 ? html`<p class="cut">… ${formatCount(hidden)} more</p>` : ''}`
}
