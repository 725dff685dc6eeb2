import { type Observer, Subscriber } from 'rxjs'

/**
 * Reads a source for another subscriber, with handlers of its own. Only a subscriber that is linked to the one it works
 * for stops a synchronous source when that one leaves (rxjs issue 5369); and what a handler throws becomes an error of the
 * source, instead of one that nobody catches.
 */
export class HandlerSubscriber<T> extends Subscriber<T> {
  readonly #handlers: Observer<T>

  // RxJS marks the constructor deprecated for applications; operators need it.
  constructor(reader: Subscriber<unknown>, handlers: Observer<T>) {
    super(reader)
    this.#handlers = handlers
  }

  protected override _next(value: T): void {
    try {
      this.#handlers.next(value)
    } catch (error) {
      this.error(error)
    }
  }

  protected override _error(error: unknown): void {
    try {
      this.#handlers.error(error)
    } finally {
      this.unsubscribe()
    }
  }

  protected override _complete(): void {
    try {
      this.#handlers.complete()
    } finally {
      this.unsubscribe()
    }
  }
}
