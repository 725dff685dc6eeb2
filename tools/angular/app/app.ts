import { Component, inject, resource } from '@angular/core'
import { rxResource, toSignal } from '@angular/core/rxjs-interop'
import { attempt, component, respanGenerate, respanTrace } from 'respan-rx'
import { firstValueFrom, of, Subject } from 'rxjs'
import { answers, baseUrl, SINK } from './readme.js'

@Component({
  selector: 'app-root',
  template: `
    @if (rendered.value(); as either) {
      <p id="rendered">{{ either._tag === 'Right' ? either.right.replies[0] : either.left.message }}</p>
    }
    <p id="pair">{{ pair.value() }}</p>
    @if (answer(); as either) {
      @switch (either._tag) {
        @case ('Left') {
          <p id="answer">{{ either.left._tag }}</p>
        }
        @case ('Right') {
          <p id="answer">{{ either.right }}</p>
        }
      }
    }
    @if (event(); as event) {
      @switch (event._tag) {
        @case ('TextDelta') {
          <p>{{ event.text }} {{ event.choice }}</p>
        }
        @case ('ReplyFinished') {
          <p>{{ event.reply.replies[0] }} {{ event.reply.meta[0]?.usage?.total_tokens }}</p>
        }
      }
    }
  `,
})
export class App {
  readonly #sink = inject(SINK)
  readonly #generate = respanGenerate({ model: 'gpt-4o-mini', baseUrl: baseUrl() })
  readonly question$ = new Subject<string>()
  readonly answer = toSignal(this.question$.pipe(answers()))
  readonly event = toSignal(
    this.question$.pipe(respanGenerate({ model: 'gpt-4o-mini', stream: true, baseUrl: baseUrl() })),
  )
  readonly rendered = rxResource({
    stream: () => of('tea').pipe(attempt(this.#generate), respanTrace('answer', { sink: this.#sink })),
  })

  /** Two traces, of which the second one begins when the first one ends, in a task of the runtime that zone.js does not know. */
  readonly pair = resource({
    loader: async () => {
      const digest = component('digest', async (text: string) => {
        const { byteLength } = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
        return byteLength
      })
      const traced = (name: string) =>
        firstValueFrom(of(name).pipe(digest, respanTrace(name, { sink: this.#sink })))
      return (await traced('first of a pair')) + (await traced('second of a pair'))
    },
  })
}
