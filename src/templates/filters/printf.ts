import { boundedText, joined } from '../bounds.js'
import { fixed } from '../fixed.js'
import type { Arguments, Value } from '../Value.js'
import { integerOf, numberOf, textOf } from '../values.js'

const DIRECTIVE = /%(?:\((\w+)\))?([-+ 0]*)([1-9]\d*)?(?:\.(\d*))?([sdiufFxXo%])/y

const RADIX: ReadonlyMap<string, number> = new Map([
  ['x', 16],
  ['X', 16],
  ['o', 8],
])

const signOf = (number: number, flags: string): string => {
  if (number < 0 || Object.is(number, -0)) return '-'
  if (flags.includes('+')) return '+'
  return flags.includes(' ') ? ' ' : ''
}

const digitsOf = (
  value: Value,
  conversion: string,
  precision: string | undefined,
): readonly [number, string] => {
  if (/f/i.test(conversion)) {
    const number = numberOf(value)
    return [number, fixed(Math.abs(number), Number(precision ?? 6))]
  }
  const radix = RADIX.get(conversion)
  const number = radix === undefined ? Math.trunc(numberOf(value)) + 0 : integerOf(value)
  if (!Number.isSafeInteger(number)) throw new RangeError('a number too large to be exact')
  const digits = Math.abs(number).toString(radix ?? 10)
  return [number, digits.padStart(boundedText(Number(precision ?? 0)), '0')]
}

interface Directive {
  readonly flags: string
  readonly width: number
  readonly precision: string | undefined
  readonly conversion: string
}

const written = (value: Value, { flags, width, precision, conversion }: Directive): string => {
  boundedText(width)
  const pad = (text: string): string => {
    const margin = ' '.repeat(Math.max(0, width - Array.from(text).length))
    return flags.includes('-') ? text + margin : margin + text
  }
  if (conversion === 's') {
    const characters = Array.from(textOf(value))
    return pad(characters.slice(0, precision === undefined ? undefined : Number(precision)).join(''))
  }
  const [number, digits] = digitsOf(value, conversion, precision)
  const sign = signOf(number, flags)
  const zeros = flags.includes('0') && !flags.includes('-')
  const filled = zeros ? digits.padStart(width - sign.length, '0') : digits
  return pad(sign + (conversion === 'X' ? filled.toUpperCase() : filled))
}

/**
 * Fills in a text's `%s`, `%d`, `%.2f`, `%x`, `%(name)s` as Python's `%` does.
 *
 * @throws TypeError for other directives, and for too many or too few values
 */
export const printf = (text: string, { positional, keywords }: Arguments): string => {
  const parts: Array<string> = []
  let used = 0
  for (let at = 0; at < text.length; ) {
    const start = text.indexOf('%', at)
    parts.push(text.slice(at, start === -1 ? undefined : start))
    if (start === -1) break
    DIRECTIVE.lastIndex = start
    const [directive, name, flags = '', width = '', precision, conversion = ''] = DIRECTIVE.exec(text) ?? []
    if (directive === undefined)
      throw new TypeError('a directive other than %s, %d, %i, %u, %f, %x, %o and %%')
    at = start + directive.length
    if (conversion === '%') {
      parts.push('%')
      continue
    }
    const value = name === undefined ? positional[used++] : keywords.get(name)
    if (value === undefined) throw new TypeError('a directive without a value')
    parts.push(written(value, { flags, width: Number(width), precision, conversion }))
  }
  if (used < positional.length && keywords.size === 0) throw new TypeError('a value without a directive')
  return joined(parts, '')
}
