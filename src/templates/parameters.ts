import type { Applicable, Arguments, Filter, Parameters, Value } from './Value.js'

export const NO_ARGUMENTS: Arguments = { positional: [], keywords: new Map() }

const ANY_MORE = /^[*+]$/

const nameOf = (parameter: string): string => parameter.replace('?', '')

/** What is wrong with the arguments, in words that follow the name of what they are given to. */
export const argumentsProblem = (
  parameters: Parameters,
  { positional, keywords }: { readonly positional: number; readonly keywords: ReadonlyArray<string> },
): string | undefined => {
  const named = parameters.filter((parameter) => !ANY_MORE.test(parameter))
  const open = named.length < parameters.length
  const names = named.map(nameOf)
  const isOptional = (parameter: string): boolean => /[?*]$/.test(parameter)
  const [first = '*'] = parameters
  if (positional + keywords.length === 0 && !isOptional(first)) return 'without arguments'
  if (names.length === 0 && !open && positional + keywords.length > 0) return 'with arguments'
  if (positional > names.length && !open)
    return `with more than ${names.length} ${names.length === 1 ? 'argument' : 'arguments'}`
  const unknown = keywords.find((keyword) => !open && !names.includes(keyword))
  if (unknown !== undefined) return `with an unknown argument ${unknown}`
  const twice = keywords.find((keyword) => names.slice(0, positional).includes(keyword))
  if (twice !== undefined) return `with ${twice} given twice`
  const absent = named.slice(positional).find((name) => !isOptional(name) && !keywords.includes(name))
  return absent === undefined ? undefined : `without its argument ${absent}`
}

/** @throws TypeError when they don't fit */
export const checkArguments = (parameters: Parameters, { positional, keywords }: Arguments): void => {
  const problem = argumentsProblem(parameters, {
    positional: positional.length,
    keywords: [...keywords.keys()],
  })
  if (problem !== undefined) throw new TypeError(`a call ${problem}`)
}

/** Applies a filter, a test or a method. @throws TypeError for arguments that don't fit */
export const applied = <A>({ parameters, apply }: Applicable<A>, value: Value, args: Arguments): A => {
  checkArguments(parameters, args)
  return apply(value, args)
}

/** One of the filters or tests. @throws TypeError for an unknown name, and once it is called, for arguments that don't fit */
export const named = <A>(
  all: ReadonlyMap<string, Applicable<A>>,
  what: 'filter' | 'test',
  name: string,
): Applicable<A>['apply'] => {
  const found = all.get(name)
  if (found === undefined) throw new TypeError(`an unknown ${what}`)
  return (value, args) => applied(found, value, args)
}

/** A filter whose function takes its arguments in the order of the parameters, whether by place or by name. */
export const filter = (
  parameters: Parameters,
  apply: (value: Value, ...args: ReadonlyArray<Value | undefined>) => Value,
): Filter => ({
  parameters,
  apply: (value, { positional, keywords }) =>
    apply(
      value,
      ...parameters.map((parameter, index) => positional[index] ?? keywords.get(nameOf(parameter))),
    ),
})
