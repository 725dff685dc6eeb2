import { type Observer, Subscriber } from 'rxjs'

/**
 * Reads a source for another subscriber, with handlers of its own. It is linked to that subscriber, since only then does
 * unsubscribing stop a synchronous source (rxjs issue 5369); and what its handler `next` throws becomes an error of the
 * source, instead of an uncaught one.
 */
export class HandlerSubscriber<T> extends Subscriber<T> {
  readonly #handlers: Observer<T>

  // RxJS deprecates the constructor for applications, but operators need it.
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
