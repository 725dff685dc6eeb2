import { html } from 'hono/html'
import { formatCount } from './format.js'
import type { Markup } from './layout.js'

/** What is shown, and for how many characters of content there is room after it. */
export interface Shown {
  readonly markup: Markup | ''
  readonly room: number
}

/**
 * A piece of a page that shows content as far as there is room for it. Traces hold hundreds of megabytes, of which a
 * browser, and this process, can take a few as HTML.
 */
export type View = (room: number) => Shown

/** Shows what is small whatever its content is, and takes no room. */
export const always =
  (markup: Markup | ''): View =>
  (room) => ({ markup, room })

/** Shows one after the other; each gets the room that those before it left. */
export const inOrder =
  (views: ReadonlyArray<View>): View =>
  (room) => {
    const markups: Array<Markup | ''> = []
    let left = room
    for (const view of views) {
      const shown = view(left)
      markups.push(shown.markup)
      left = shown.room
    }
    return { markup: html`${markups}`, room: left }
  }

/** Puts a view into a frame. */
export const framed =
  (view: View, frame: (inner: Markup | '') => Markup): View =>
  (room) => {
    const { markup, room: left } = view(room)
    return { markup: frame(markup), room: left }
  }

/** Gives a view no more than so many characters, and what follows the rest. */
export const atMost =
  (most: number, view: View): View =>
  (room) => {
    const given = Math.min(room, most)
    const { markup, room: left } = view(given)
    return { markup, room: room - (given - left) }
  }

// What the markup around a piece counts for: a million empty messages take room as well.
const PIECE = 100

/** Shows the items of a list until there is no more room, and how many those are which are left out. */
export const each =
  <A>(items: ReadonlyArray<A>, view: (item: A) => View): View =>
  (room) => {
    const markups: Array<Markup | ''> = []
    let left = room
    for (const item of items) {
      if (left <= 0) break
      const shown = view(item)(left)
      markups.push(shown.markup)
      left = shown.room - PIECE
    }
    const hidden = items.length - markups.length
    return {
      markup: html`${markups}${hidden > 0 ? html`<p class="cut">… ${formatCount(hidden)} more</p>` : ''}`,
      room: left,
    }
  }
