import { Component } from '@angular/core'
import { toSignal } from '@angular/core/rxjs-interop'
import type { ReplyEvent } from 'respan-rx'
import { of } from 'rxjs'
import { answers } from './readme.js'

// What the compiler refuses: each of these could be another one.
@Component({
  selector: 'app-wrong',
  template: `{{ answer()?.right }} {{ event()?.text }}`,
})
export class Wrong {
  readonly answer = toSignal(of('tea').pipe(answers()))
  readonly event = toSignal(of<ReplyEvent>())
}
