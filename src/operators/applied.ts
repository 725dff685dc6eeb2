import { isObservable, type Observable, type OperatorFunction } from 'rxjs'
import { refuse } from '../codecs/refuse.js'

/** Applies an operator to a source. @throws InvalidInput that names the parameter, if the operator returns no observable */
export const applied = <A, B>(
  subject: string,
  parameter: string,
  operator: OperatorFunction<A, B>,
  source: Observable<A>,
): Observable<B> => {
  const made = operator(source)
  return isObservable(made)
    ? made
    : refuse(subject, parameter, 'an operator that returns an observable', made)
}
