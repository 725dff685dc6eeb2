import { type ApplicationRef, NgZone } from '@angular/core'
import { bootstrapApplication } from '@angular/platform-browser'
import { respanTrace } from 'respan-rx'
import { of } from 'rxjs'
import { App } from './app.js'
import { config } from './config.js'
import { SINK } from './readme.js'

/** What the test does with a page. */
const handlesOf = (app: ApplicationRef) => {
  const sink = app.injector.get(SINK)
  const zone = app.injector.get(NgZone)
  let rounds = 0
  zone.onMicrotaskEmpty.subscribe(() => {
    rounds++
  })
  return {
    app,
    /** How often Angular has looked for changes. */
    rounds: () => rounds,
    /** A trace in Angular's zone, in a task of its own. */
    trace: () => {
      zone.run(() => of(1).pipe(respanTrace('run', { sink })).subscribe())
    },
    ask: (question: string) =>
      zone.run(() => {
        for (const { instance } of app.components)
          if (instance instanceof App) instance.question$.next(question)
      }),
  }
}

bootstrapApplication(App, config).then(
  (app) => Object.assign(globalThis, { handles: handlesOf(app) }),
  console.error,
)
