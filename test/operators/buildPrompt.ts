import { runInNewContext } from 'node:vm'
import { fc, testProp } from '@fast-check/ava'
import test, { type ExecutionContext } from 'ava'
import { expectTypeOf } from 'expect-type'
import * as io from 'io-ts'
import { concatMap, EMPTY, from, Observable, of, Subject, take, throwError, toArray } from 'rxjs'
import type { ChatMessage } from '../../dist/codecs/ChatMessage.js'
import { assistant, system, toolResult, user } from '../../dist/codecs/messages.js'
import { InvalidInput } from '../../dist/errors.js'
import { buildPrompt } from '../../dist/operators/buildPrompt.js'
import type { Component } from '../../dist/operators/Flattening.js'
import { marbles } from '../../dist/testing/index.js'
import { anything } from '../helpers/anything.js'

interface Options {
  readonly variables?: io.Mixed
  readonly required?: '*' | ReadonlyArray<string>
}

const outcome = <B>(make: () => Observable<B>): B | InvalidInput => {
  const seen: Array<B | InvalidInput> = []
  make().subscribe({
    next: (value) => seen.push(value),
    error: (error) => seen.push(error instanceof InvalidInput ? error : fail(error)),
  })
  const [first] = seen
  if (first === undefined) throw new Error('Nothing was emitted.')
  return first
}

const fail = (error: unknown): never => {
  throw new Error('not an InvalidInput', { cause: error })
}

const rendered = (template: string, input: object, options?: Options): string | InvalidInput =>
  outcome(() => of(input).pipe(buildPrompt(template, options)))

const renderedMessages = (
  template: ReadonlyArray<ChatMessage>,
  input: object,
  options?: Options,
): ReadonlyArray<ChatMessage> | InvalidInput => outcome(() => of(input).pipe(buildPrompt(template, options)))

const refused = (
  context: ExecutionContext,
  result: unknown,
  expected: Partial<Record<'path' | 'expected' | 'found', string>>,
): void => {
  if (!(result instanceof InvalidInput)) {
    context.fail(`not refused: ${JSON.stringify(result)}`)
    return
  }
  context.like(result, expected)
}

const refusedWhenBuilt = (
  context: ExecutionContext,
  template: unknown,
  expected: Partial<Record<'path' | 'expected' | 'found', string>>,
  options?: unknown,
): void => {
  const build = anything<(template: unknown, options?: unknown) => unknown>(buildPrompt)
  const error = context.throws(() => build(template, options), { instanceOf: InvalidInput })
  context.like(error, expected)
}

// ── plain

test('fills a template with the fields of each item', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable, expectSubscriptions }) => {
    const item$ = cold('--a-----b--|', { a: { topic: 'tea' }, b: { topic: 'rain' } })
    expectObservable(item$.pipe(buildPrompt('On {{topic}}'))).toBe('--x-----y--|', {
      x: 'On tea',
      y: 'On rain',
    })
    expectSubscriptions(item$.subscriptions).toBe('^----------!')
  }))

const templates: ReadonlyArray<readonly [title: string, template: string, input: object, output: string]> = [
  ['conditions', '{% if a %}yes{% elif b %}maybe{% else %}no{% endif %}', { a: false, b: 1 }, 'maybe'],
  [
    'loops',
    '{% for d in docs %}{{ loop.index }}. {{ d.text }}\n{% endfor %}',
    { docs: [{ text: 'x' }, { text: 'y' }] },
    '1. x\n2. y\n',
  ],
  ['loops with a condition', '{% for n in ns if n is odd %}{{ n }}{% endfor %}', { ns: [1, 2, 3] }, '13'],
  [
    'loops over pairs',
    '{% for k, v in o | items %}{{ k }}={{ v }};{% endfor %}',
    { o: { a: 1, b: 2 } },
    'a=1;b=2;',
  ],
  [
    'a character of a text by its place',
    '{{ x[1] }}{{ x[-1] }}{{ x.0 }}{{ xs[0][1] }}[{{ x[9] }}]',
    { x: 'a😀b', xs: ['a😀'] },
    '😀ba😀[]',
  ],
  [
    'nothing for a place that a value has not',
    '[{{ xs[9] }}{{ xs[0.5] }}{{ xs["a"] }}{{ o[0] }}{{ o["b"] }}{{ n[0] }}{{ z[0] }}{{ z["a"] }}]',
    { xs: [1], o: { a: 1 }, n: 1, z: null },
    '[]',
  ],
  ['loops over text', '{% for c in word %}[{{ c }}]{% endfor %}', { word: 'añ😀' }, '[a][ñ][😀]'],
  [
    'break and continue',
    '{% for n in ns %}{% if n == 2 %}{% continue %}{% endif %}{% if n > 3 %}{% break %}{% endif %}{{ n }}{% endfor %}',
    { ns: [1, 2, 3, 4] },
    '13',
  ],
  [
    'set, single, as tuple, as list and as block',
    '{% set a = 1 %}{% set b, c = [2, 3] %}{% set [d, e] = [4, 5] %}{% set f %}<{{ x }}>{% endset %}{{ a }}{{ b }}{{ c }}{{ d }}{{ e }}{{ f }}',
    { x: 6 },
    '12345<6>',
  ],
  [
    'what a turn of a loop sets, for that turn alone',
    '{% set a = 0 %}{% for n in ns %}[{{ a }}{{ b }}{% set a = n %}{% if n %}{% set b = n %}{% endif %}{{ a }}{{ b }}]{% endfor %}{{ a }}{{ b }}',
    { ns: [1, 2] },
    '[011][022]0',
  ],
  [
    'what a turn of a loop gave before it was left',
    '{% for n in ns %}a{% if n == 2 %}b{% continue %}{% endif %}{% if n == 3 %}c{% break %}{% endif %}d{% else %}none{% endfor %}',
    { ns: [1, 2, 3, 4] },
    'adabac',
  ],
  [
    'the other branch of a loop of which no turn came to its end',
    '{% for n in ns %}a{% continue %}{% else %}b{% endfor %}{% for n in ns if n > 2 %}a{% else %}b{% endfor %}',
    { ns: [1, 2] },
    'aabb',
  ],
  [
    'a block in a loop that is left, not at all',
    '{% for n in ns %}a{% filter upper %}b{% if n == 1 %}{% continue %}{% endif %}{% endfilter %}{% set c %}{% break %}{% endset %}{% endfor %}',
    { ns: [1, 2, 3] },
    'aaB',
  ],
  [
    'cycles, changes and depths of loops',
    "{% for n in ns %}{{ loop.cycle('x', 'y') }}{{ loop.changed(n) }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}",
    { ns: [1, 1, 2] },
    'xtrue10 yfalse10 xtrue10 ',
  ],
  [
    'the neighbours of a turn',
    '{% for n in ns %}{{ loop.previtem }}<{{ n }}>{{ loop.nextitem }} {{ loop.previtem is defined }} {{ loop.revindex }}{{ loop.revindex0 }}{{ loop.last }};{% endfor %}',
    { ns: [1, 2] },
    '<1>2 false 21false;1<2> true 10true;',
  ],
  [
    'a variable of the name of a global, also in a loop',
    '{{ namespace }}{% for n in ns %}{{ namespace }}{{ n }}{% endfor %}',
    { ns: [1], namespace: 'x' },
    'xx1',
  ],
  [
    'the characters of a text for names',
    '{% for a, b in xs %}{{ a }}{{ b }}{% endfor %}{% set c, d = "56" %}{{ c }}{{ d }}',
    { xs: [[1, 2], '34'] },
    '123456',
  ],
  [
    'what a block of a filter or of a set sets, for that block alone',
    '{% filter upper %}{% set a = "x" %}{{ a }}{% endfilter %}{% set b %}{% set a = "y" %}{{ a }}{% endset %}{{ b }}[{{ a }}]',
    {},
    'Xy[]',
  ],
  [
    'in a macro the names of where it is written, not of where it is called',
    '{% macro m() %}[{{ n }}{{ loop }}{{ caller and caller() }}]{% endmacro %}{% for n in ns %}{{ m() }}{% call m() %}{{ n }}{% endcall %}{% endfor %}',
    { ns: [1, 2], n: 'n', loop: '' },
    '[n][n1][n][n2]',
  ],
  [
    'macros and call blocks',
    '{% macro q(text, mark="!") %}{{ text }}{{ mark }}{{ caller() }}{% endmacro %}{% call q(x) %} {{ y }}{% endcall %}',
    { x: 'hi', y: 'there' },
    'hi! there',
  ],
  [
    'namespaces',
    '{% set ns = namespace(n=0) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}',
    {},
    '6',
  ],
  [
    'filters, with and without parentheses, under all their names',
    '{{ x | upper() | lower }}{{ x | count }}{{ xs | join(", ") }}{{ none | d("n", true) }}',
    { x: 'Ab', xs: [1, 2] },
    'ab21, 2n',
  ],
  ['filter blocks', '{% filter upper %}a{{ x }}{% endfilter %}', { x: 'b' }, 'AB'],
  ['inline conditions', '{{ "a" if x else "b" }}', { x: [] }, 'b'],
  ['methods of text', '{{ x.split(",") | last }}{{ x.startswith("a") }}', { x: 'a,b' }, 'btrue'],
  ['range with a step', '{{ range(5, 0, -2) | join }}', {}, '531'],
  ['joining with a tilde', '{{ "a" ~ n ~ 1 ~ xs }}', { n: null, xs: [{ a: 1 }] }, 'a1[{"a": 1}]'],
  [
    'joined items, as they are rendered alone',
    '{{ xs | join(", ") }}|{{ xs | join }}|{{ xs | join(d="+") }}',
    { xs: [{ a: 1 }, ['b', null], null, true, 'c'] },
    '{"a": 1}, ["b", null], , true, c|{"a": 1}["b", null]truec|{"a": 1}+["b", null]++true+c',
  ],
  [
    'joined attributes of items',
    '{{ xs | join(", ", attribute="a") }}|{{ xs | join("", "a") }}|{{ xs | join(attribute="a") }}',
    { xs: [{ a: 'x' }, { a: 'y' }] },
    'x, y|xy|xy',
  ],
  [
    'equality by kind and by content',
    '{{ n == "1" }} {{ n == 1.0 }} {{ n != true }} {{ "" == 0 }} {{ xs == [1, {"a": [2]}] }} {{ xs != [1] }} {{ o == {"a": 1} }} {{ o == {"b": 1} }} {{ z == none }} {{ z == [] }}',
    { n: 1, xs: [1, { a: [2] }], o: { a: 1 }, z: null },
    'false true false false true true true false true false',
  ],
  ['text with a capital at its beginning only', '{{ x | capitalize }}', { x: 'hELLO World' }, 'Hello world'],
  ['comments', 'a{# {{ not read }} {% raw %} #}b', {}, 'ab'],
  ['comments with a quote', "a{# it's {{ #}b", {}, 'ab'],
  ['objects and braces in expressions', '{{ {"a": {"b": "}}"}} | tojson }}', {}, '{"a": {"b": "}}"}}'],
  ['closing marks in strings', '{% set x = "%}" %}{{ x }}', {}, '%}'],
  ['the first of nothing', '[{{ [] | first }}]', {}, '[]'],
  ['literals under both spellings', '{{ true }}{{ False }}{{ none }}', { true: 0 }, 'truefalse'],
  ['an empty template', '', {}, ''],
]

for (const [title, template, input, output] of templates) {
  test(`renders ${title}`, (t) => {
    t.is(rendered(template, input), output)
  })
}

test('keeps whitespace as Jinja does: all but one newline at the end', (t) => {
  t.is(rendered('{% if x %}\n  a\n{% endif %}\n', { x: 1 }), '\n  a\n')
  t.is(rendered('a\n\n', {}), 'a\n')
  t.is(rendered('  {% set x = 1 %}\n  {{ x }}  ', {}), '  \n  1  ')
})

test('drops whitespace where a minus sign asks for it, and ignores a plus sign', (t) => {
  t.is(rendered('a  {{- x -}}  b  {%- if x -%}  c  {%- endif -%}  d {#- e -#} f', { x: 1 }), 'a1bcdf')
  t.is(rendered('a {%+ if x +%} b {% endif %}', { x: 1 }), 'a  b ')
})

test('reads every kind of line break as a newline', (t) => {
  t.is(rendered('a\r\nb\rc\r\n', {}), 'a\nb\nc')
})

test('leaves raw blocks as they are, with their own whitespace control', (t) => {
  t.is(
    rendered('{% raw %}{{ x }} {% generation %} {# c #} "\\n" \\{% endraw %}{{ x }}', { x: 1 }),
    '{{ x }} {% generation %} {# c #} "\\n" \\1',
  )
  t.is(rendered('a {%- raw -%}  b  {%- endraw -%}  c', {}), 'abc')
  t.is(rendered('a {% raw %}  b  {% endraw %} c', {}), 'a   b   c')
  t.is(rendered('{%raw%}{{{%endraw%}', {}), '{{')
  t.is(rendered('a {%+ raw +%} {{ b }} {%+ endraw +%} c', {}), 'a  {{ b }}  c')
  t.is(rendered('{% raw %}{% endraw %}', {}), '')
  t.is(rendered('{% raw %}a\n{% endraw %}\n', {}), 'a\n')
})

test('escapes nothing and expands no value a second time', (t) => {
  t.is(rendered('{{ x }}', { x: '<b>&"\'{{ y }}{% if %}{# #}' }), '<b>&"\'{{ y }}{% if %}{# #}')
})

// ── variables

test('names all that is missing, in alphabetical order', (t) => {
  refused(t, rendered('{{ b }}{{ a }}{{ c }}{{ b }}', { c: 1 }), { path: 'a, b', found: 'undefined' })
})

test('names what is missing in the order of a list', (t) => {
  refused(t, rendered('{{ b }}{{ a }}', {}, { required: ['b', 'a'] }), { path: 'b, a' })
})

test('a list may require what the template does not read', (t) => {
  refused(t, rendered('{{ a }}', { a: 1 }, { required: ['question'] }), { path: 'question' })
  t.is(rendered('{{ a }}', { question: 1 }, { required: ['question'] }), '')
})

test('null counts as given and renders as nothing, undefined counts as missing', (t) => {
  t.is(rendered('[{{ x }}]', { x: null }), '[]')
  refused(t, rendered('[{{ x }}]', { x: undefined }), { path: 'x' })
})

test('an inherited field counts as missing', (t) => {
  refused(t, rendered('{{ toString }}', {}), { path: 'toString' })
  refused(t, rendered('{{ x }}', Object.create({ x: 1 })), { path: 'x' })
})

const inputsOf: ReadonlyArray<readonly [title: string, template: string, path: string]> = [
  [
    'set names',
    '{% set a = x %}{% set b, c = y %}{% set [d, e] = z %}{% set f %}{{ w }}{% endset %}{{ a }}{{ b }}{{ c }}{{ d }}{{ e }}{{ f }}',
    'w, x, y, z',
  ],
  ['a name that is set later, or from itself', '{{ a }}{% set a = a or x %}', 'x'],
  [
    'loop names, within the loop',
    '{% for a, b in xs if a %}{{ a }}{{ loop.index }}{% else %}{{ y }}{% endfor %}{{ b }}',
    'b, xs, y',
  ],
  [
    'macros and their parameters, within the macro',
    '{% macro m(a, b=x) %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{{ y }}{% endmacro %}{{ m(1) }}{{ a }}',
    'a, x, y',
  ],
  [
    'call blocks and their parameters',
    '{% macro m() %}{{ caller(1) }}{% endmacro %}{% call(a) m() %}{{ a }}{{ x }}{% endcall %}',
    'x',
  ],
  [
    'attributes, filters, tests, keywords',
    '{{ a.b.c[d] | default(e, boolean=f) is defined }}{{ "s" | replace("a", g) }}',
    'a, d, e, f, g',
  ],
  ['globals and literals', '{{ range(x) }}{{ namespace(a=y) }}{{ true and False or none }}', 'x, y'],
  [
    'operators, slices, objects, conditions',
    '{{ a + b ~ c }}{{ -d }}{{ e[f:g:h] }}{{ {i: j, "k": [l, (m, n)]} }}{{ o if p else q }}{{ r if s }}',
    'a, b, c, d, e, f, g, h, i, j, l, m, n, o, p, q, r, s',
  ],
  [
    'blocks',
    '{% if a %}{{ b }}{% elif c %}{{ d }}{% else %}{{ e }}{% endif %}{% filter replace(f, "") %}{{ g }}{% endfilter %}',
    'a, b, c, d, e, f, g',
  ],
  ['namespace attributes', '{% set ns.a = x %}', 'ns, x'],
  ['unpacked arguments', '{% macro m(a) %}{% endmacro %}{{ m(*xs, **o) }}', 'o, xs'],
  [
    'a loop over what its own name hides',
    '{% for x in x if x %}{% endfor %}{% for y in y %}{% endfor %}',
    'x, y',
  ],
  ['the other branch of a loop', '{% for a in xs %}{% else %}{{ a }}{{ loop }}{% endfor %}', 'a, loop, xs'],
  [
    'what a call block is called with',
    '{% macro m() %}{% endmacro %}{% call(a) m(a, caller) %}{{ a }}{{ varargs }}{{ kwargs }}{{ caller }}{% endcall %}',
    'a, caller',
  ],
]

for (const [title, template, path] of inputsOf) {
  test(`finds the inputs of a template: ${title}`, (t) => {
    refused(t, rendered(template, {}), { path })
  })
}

test('an optional variable that is missing renders as nothing, also below filters and in loops', (t) => {
  const all =
    '{{ x }}{{ x | upper }}{{ x | length }}{{ x | first }}{{ x | join(",") }}{% for y in x %}y{% endfor %}{{ x | map(attribute="a") | join }}{{ x | items | join }}{{ x ~ "" }}'
  t.is(rendered(`[${all}]`, {}, { required: [] }), '[0]')
})

test('a template with too many nested blocks is refused when it is built', (t) => {
  const nested = (depth: number) => `${'{% if x %}'.repeat(depth)}a${'{% endif %}'.repeat(depth)}`
  t.is(rendered(nested(200), { x: 1 }), 'a')
  t.like(
    t.throws(() => buildPrompt(nested(6_000))),
    { name: 'InvalidInput', path: 'template:1:2001' },
  )
})

test('a template that is too long for the stack is refused when it is built', (t) => {
  for (const deep of [`{{ x${' + x'.repeat(60_000)} }}`, `{{ ${'('.repeat(60_000)}x }}`])
    t.throws(() => buildPrompt(deep), { name: 'InvalidInput' })
})

test('an attribute of a missing variable fails, as in Jinja', (t) => {
  for (const [template, path] of [
    ['{{ a.b }}', 'a'],
    ['{{ a["b"] }}', 'a'],
    ['{{ a[0] }}', 'a'],
    ['{{ a[:2] }}', 'a'],
    ['{{ a.b | default("c") }}', 'a'],
  ] as const) {
    refused(t, rendered(template, {}, { required: [] }), { path, found: 'undefined' })
  }
  refused(t, rendered('{{ a.b["c"][0].d }}', { a: { b: { c: [] } } }), { path: 'a.b["c"][0]' })
})

test('an attribute that is not there renders as nothing', (t) => {
  t.is(rendered('[{{ a.b }}{{ n.b }}{{ a["c"] }}{{ xs[7] }}]', { a: {}, n: null, xs: [] }), '[]')
})

// ── values

test('shows dates in ISO form, big integers as digits, maps as objects, sets as lists', (t) => {
  const input = {
    date: new Date(Date.UTC(2024, 0, 2)),
    small: 12n,
    big: 12345678901234567890n,
    map: new Map<unknown, unknown>([
      ['a', 1],
      [2, new Set(['b'])],
    ]),
    set: new Set([1, 2]),
    url: new URL('https://example.com/'),
    error: Object.assign(new TypeError('no'), { code: 'E' }),
  }
  t.is(
    rendered(
      '{{ date }} {{ small + 1 }} {{ big }} {{ map }} {{ map.a }} {{ set | join("+") }} {{ url }} {{ error }}',
      input,
    ),
    '2024-01-02T00:00:00.000Z 13 12345678901234567890 {"2": ["b"], "a": 1} 1 1+2 https://example.com/ {"name": "TypeError", "message": "no", "code": "E"}',
  )
})

test('shows what was made in another realm as what is made in this', (t) => {
  const input: Readonly<Record<string, unknown>> = runInNewContext(
    '({ map: new Map([["a", new Set([1])]]), error: new TypeError("no") })',
  )
  t.is(rendered('{{ map }} {{ error.name }}', input), '{"a": [1]} TypeError')
  refused(t, rendered('{{ x }}', { x: runInNewContext('new ArrayBuffer(1)') }), { path: 'x' })
})

test('shows a map whose keys are big integers or truth values, by their text', (t) => {
  const x = new Map<unknown, unknown>([
    [1n, 'a'],
    [true, 'b'],
  ])
  t.is(rendered('{{ x }}', { x }), '{"1": "a", "true": "b"}')
})

test('shows fields that are called like methods of promises, observables and dates', (t) => {
  const x: unknown = JSON.parse('{"then":1,"subscribe":2,"toJSON":3}')
  t.is(rendered('{{ x.then }}{{ x.subscribe }}{{ x.toJSON }}', { x }), '123')
})

test('shows undefined inside a value as JSON does: no field, and null in a list', (t) => {
  const x = { a: undefined, b: [1, undefined, new Map([['c', undefined]])] }
  t.is(rendered('{{ x }} {{ x | tojson }} {{ x.a }}', { x }), '{"b": [1, null, {}]} {"b": [1, null, {}]} ')
})

const cyclic: { list: Array<unknown> } = { list: [] }
cyclic.list.push({ back: cyclic })

const unshowable: ReadonlyArray<readonly [title: string, input: object, path: string, found: string]> = [
  ['a function', { a: { b: [() => 1] } }, 'a.b[0]', 'a function'],
  ['a function that is not read', { x: 1, other: () => 1 }, 'other', 'a function'],
  ['a symbol', { 'a b': Symbol('s') }, '["a b"]', 'a symbol'],
  ['a promise', { x: Promise.resolve(1) }, 'x', 'a promise of a value'],
  ['an observable', { x: of(1) }, 'x', 'an observable of values'],
  ['an observable as the input', of(1), '', 'an observable of values'],
  ['bytes', { x: new Uint8Array(2) }, 'x', 'bytes'],
  ['a buffer', { x: new ArrayBuffer(2) }, 'x', 'bytes'],
  [
    'what gives itself as JSON',
    {
      x: {
        toJSON() {
          return this
        },
      },
    },
    'x',
    'an object that contains itself',
  ],
  ['an invalid date', { x: new Date(Number.NaN) }, 'x', 'an invalid date'],
  ['a cycle', { x: cyclic }, 'x.list[0].back', 'an object that contains itself'],
  ['a map with objects as keys', { x: new Map([[{}, 1]]) }, 'x', 'a key that is object without keys'],
]

for (const [title, input, path, found] of unshowable) {
  test(`refuses ${title}`, (t) => {
    refused(t, rendered('{{ x }}', input), { path, found })
  })
}

test('refuses what is nested too deep, and takes what is shared without being a cycle', (t) => {
  const nested = (levels: number): object => (levels === 1 ? {} : { deep: nested(levels - 1) })
  t.is(rendered('{{ x is mapping }}', { x: nested(199) }), 'true')
  refused(t, rendered('{{ x }}', { x: nested(200) }), { expected: 'at most 200 levels', found: 'more' })
  const shared = { a: 1 }
  t.is(rendered('{{ x.p.a }}{{ x.q.a }}', { x: { p: shared, q: shared } }), '11')
})

test('reaches no property of an object but its own fields', (t) => {
  class Account {
    readonly id = 1
    get secret(): string {
      return 'secret'
    }
  }
  t.is(
    rendered(
      '[{{ x.constructor }}{{ x.__proto__ }}{{ x["__proto__"] }}{{ x.toString }}{{ x.secret }}{{ x.__class__ }}{{ s.constructor }}{{ xs.constructor }}{{ n.constructor }}]',
      { x: new Account(), s: 'text', xs: [], n: 1 },
    ),
    '[]',
  )
})

test('an own field of that name is an ordinary field, and pollutes nothing', (t) => {
  t.is(rendered('{{ x["__proto__"].a }}{{ x.a }}', { x: JSON.parse('{"__proto__":{"a":1}}') }), '1')
  t.is(rendered('{{ __proto__ }}', JSON.parse('{"__proto__":"own"}')), 'own')
  t.false('a' in {})
})

test('shows no function that a template knows', (t) => {
  t.is(
    rendered(
      '[{{ range }}{{ namespace }}{{ x.items }}{{ "a".upper }}{{ [range, x.keys] | join }}{{ m }}{% set f = range %}{{ f }}{{ "" ~ range }}]{% macro m() %}{% endmacro %}',
      { x: {} },
    ),
    '[]',
  )
})

test('bounds range', (t) => {
  refused(t, rendered('{{ range(n) }}', { n: 1e9 }), {
    path: 'template',
    found: 'range() of more than 100000 numbers',
  })
})

test('what the template cannot do with these values is an InvalidInput that does not repeat them', (t) => {
  for (const template of [
    '{{ x + 1 }}',
    '{{ x | abs }}',
    '{{ x() }}{% macro x() %}{% endmacro %}',
    '{% for a in n %}{% endfor %}',
  ]) {
    const result = rendered(template, { x: 'hunter2', n: 5 })
    t.true(result instanceof InvalidInput, template)
    t.notRegex(String(result), /hunter2/)
  }
})

test('leaves the input as it was', (t) => {
  const input = Object.freeze({ xs: Object.freeze([3, 1, 2]), o: Object.freeze({ b: 1 }) })
  t.is(rendered('{% set xs = xs | sort %}{{ xs | join }}{% set o = 1 %}', input), '123')
  t.deepEqual(input, { xs: [3, 1, 2], o: { b: 1 } })
})

test('refuses an input that has no fields', (t) => {
  for (const [input, found] of [
    [null, 'null'],
    ['text', 'string(4 characters)'],
    [['a'], 'array(1)'],
    [new Date(0), 'string(24 characters)'],
  ] as const) {
    const items = from([input]) as Observable<object>
    refused(
      t,
      outcome(() => items.pipe(buildPrompt('{{ x }}'))),
      { path: '', expected: 'an object with the variables', found },
    )
  }
})

// ── templates that are none

const wrong: ReadonlyArray<readonly [template: string, path: string, found: string]> = [
  ['{% if x %}', 'template:1:1', 'the end of the template'],
  ['a\n  {% for x in y %}{% if x %}{% endif %}', 'template:2:3', 'the end of the template'],
  ['{% raw %}{{', 'template:1:1', 'the end of the template'],
  ['a {{ x', 'template:1:3', 'the end of the template'],
  ['{{ "a }}', 'template:1:1', 'the end of the template'],
  ['{# a', 'template:1:1', 'the end of the template'],
  ['\n\n{{ }}', 'template:3:1', 'Unexpected token: CloseExpression'],
  ['a\n  {{ }}\nb\n', 'template:2:3', 'Unexpected token: CloseExpression'],
  ['{{ a b }}', 'template:1:1', 'Expected closing expression token. Identifier !== CloseExpression'],
  ['{{ (a b) }}', 'template:1:1', 'Expected closing parenthesis. Identifier !== CloseParen'],
  ['{% if %}{% endif %}', 'template:1:1', 'Unexpected token: CloseStatement'],
  ['{% if a %}{% elif %}{% endif %}', 'template:1:11', 'Unexpected token: CloseStatement'],
  ['{{ "\\d" }}', 'template:1:1', 'Unexpected escaped character: d'],
  ['{{ x | }}', 'template:1:1', 'Unexpected token: CloseExpression'],
  ['{% set %}', 'template:1:1', 'Unexpected token: CloseStatement'],
  ['{% endif %}', 'template:1:1', '{% endif %}'],
  ['{% if a %}{% endfor %}', 'template:1:11', '{% endfor %}'],
  ['{% endif x %}', 'template:1:1', 'more than that'],
  ['{% else %}', 'template:1:1', '{% else %}'],
  ['{% if a %}{% else %}{% elif b %}{% endif %}', 'template:1:21', '{% elif %}'],
  ['{% break %}', 'template:1:1', '{% break %}'],
  [
    '{% for a in b %}{% macro m() %}{% continue %}{% endmacro %}{% endfor %}',
    'template:1:32',
    '{% continue %}',
  ],
  ['{% include "other" %}', 'template:1:1', '{% include %}'],
  ['{% generation %}{% endgeneration %}', 'template:1:1', '{% generation %}'],
  ['{% %}', 'template:1:1', 'a tag without a name'],
  ['{{ x | nope }}', 'template:1:1', 'unknown filter nope'],
  ['{% filter nope %}{% endfilter %}', 'template:1:1', 'unknown filter nope'],
  ['{{ x | upper(1) }}', 'template:1:1', 'filter upper with arguments'],
  ['{{ x | map }}', 'template:1:1', 'filter map without arguments'],
  ['{{ x is nope }}', 'template:1:1', 'unknown test nope'],
  ['{{ xs | selectattr("a", "nope") }}', 'template:1:1', 'unknown test nope'],
  ['a\r\nb {{ now() }}', 'template:2:3', 'unknown function now'],
  ['{% for a, (b, c.d) in x %}{% endfor %}', 'template:1:1', 'another expression'],
  ['{% set x | upper = 1 %}', 'template:1:1', 'another expression'],
  ['{% set x.y.z() | upper %}{% endset %}', 'template:1:1', 'another expression'],
  ['{% set x | nope %}{% endset %}', 'template:1:1', 'unknown filter nope'],
  ['{% set x | upper(1) | trim %}{% endset %}', 'template:1:1', 'filter upper with arguments'],
  ['\n{% for x in xs recursive %}{% endfor %}', 'template:2:1', 'recursive'],
  ['{% for x in xs if x recursive -%}{% endfor %}', 'template:1:1', 'recursive'],
  ['{% filter upper | trim %}{% endfilter %}', 'template:1:1', 'a second filter'],
  ['{% with x = 1 %}{% endwith %}', 'template:1:1', '{% with %}'],
  ['{{ 1__0 }}', 'template:1:1', 'Expected closing expression token. Identifier !== CloseExpression'],
  ['{% set x.y.z() = 1 %}', 'template:1:1', 'another expression'],
  ['{% set x["y"] = 1 %}', 'template:1:1', 'another expression'],
  ['{{ x | upper()() }}', 'template:1:1', 'another expression'],
  ['{{ translate(x) }}', 'template:1:1', 'unknown function translate'],
  ['{% set x.y | upper = 1 %}', 'template:1:1', 'another expression'],
  ['{% for a in b %}{% elif c %}{% endfor %}', 'template:1:17', '{% elif %}'],
  ['{% for a in b %}{% else %}{% else %}{% endfor %}', 'template:1:27', '{% else %}'],
  ['{% for a in b %}{% call c() %}{% break %}{% endcall %}{% endfor %}', 'template:1:31', '{% break %}'],
  ['{% if a %}{% for b in c %}', 'template:1:11', 'the end of the template'],
  [
    '{% if a recursive %}{% endif %}',
    'template:1:1',
    'Expected closing statement token. Identifier !== CloseStatement',
  ],
  ['{% set a = b | %}', 'template:1:1', 'Unexpected token: CloseStatement'],
  [
    '{% macro m() %}{% endmacro %}{% call m() | a %}{% endcall %}',
    'template:1:30',
    'Expected closing statement token. Pipe !== CloseStatement',
  ],
]

for (const [template, path, found] of wrong) {
  test(`refuses ${JSON.stringify(template)} when it is built`, (t) => {
    refusedWhenBuilt(t, template, { path, found })
  })
}

test('a filter or a test that is called wrongly, or misspelt, is told without all the others', (t) => {
  refusedWhenBuilt(t, '{{ x | upper(1) }}', { expected: "the arguments of Jinja's filter upper" })
  refusedWhenBuilt(t, '{{ x is even(1) }}', { expected: "the arguments of Jinja's test even" })
  refusedWhenBuilt(t, '{{ x | uper }}', { expected: 'upper instead', found: 'unknown filter uper' })
  refusedWhenBuilt(t, '{{ x is defind }}', { expected: 'defined instead', found: 'unknown test defind' })
})

test('a filter that is like none is told with all that there are, in alphabetical order', (t) => {
  const error = t.throws(() => buildPrompt('{{ x | paginated }}'), { instanceOf: InvalidInput })
  const names = error?.expected.replace('one of ', '').split(', ') ?? []
  t.true(names.length > 40)
  t.deepEqual(names, [...names].sort())
})

test('what a template should have in place of what is wrong is told', (t) => {
  refusedWhenBuilt(t, '{% if a %}{% endfor %}', { expected: '{% endif %}' })
  refusedWhenBuilt(t, '{% endfor %}', { expected: 'an open block to close' })
  refusedWhenBuilt(t, '{% for a in b %}', { expected: 'a closing {% endfor %}' })
  refusedWhenBuilt(t, '{% for a in b recursive %}{% endfor %}', { expected: 'a loop without recursive' })
  refusedWhenBuilt(t, '{% filter a | b %}{% endfilter %}', { expected: 'one filter for a block' })
})

test('what the parser says of a wrong tag is the cause', (t) => {
  const error = t.throws(() => buildPrompt('{{ }}'), { instanceOf: InvalidInput })
  t.true(error?.cause instanceof Error)
})

test('the stack of what is wrong in a template begins where the template was given', (t) => {
  const templates = [
    '{% foo %}',
    [user('{{ a')],
    [user([{ type: 'text' as const, text: '{{ a | nope }}' }])],
    [],
  ]
  // No tail call, which leaves no frame in JavaScriptCore.
  const givenHere = (template: unknown) => [buildPrompt(anything(template))]
  for (const template of templates) {
    const error = t.throws(() => givenHere(template), { instanceOf: InvalidInput })
    t.regex(error?.stack ?? '', /^InvalidInput: buildPrompt: template.*\n +at givenHere /)
  }
})

test('refuses what is no template when it is built', (t) => {
  refusedWhenBuilt(t, undefined, { path: 'template', found: 'undefined' })
  refusedWhenBuilt(t, [], { path: 'template', expected: 'at least one message' })
  refusedWhenBuilt(t, [user('a'), 'b'], { path: 'template[1]' })
  refusedWhenBuilt(t, [{ role: 'nobody', content: '' }], { path: 'template[0].role' })
})

test('refuses a wrong requirement when it is built', (t) => {
  refusedWhenBuilt(t, '{{ a }}', { path: 'required', found: 'string(1 character)' }, { required: 'a' })
  refusedWhenBuilt(t, '{{ a }}', { path: 'required', found: 'array(1)' }, { required: [1] })
})

// ── messages

test('renders the texts of system, developer and user messages, and passes the others on', (t) => {
  const others = [assistant('{{ x }}'), toolResult('call_1', '{{ x }}')]
  const template: ReadonlyArray<ChatMessage> = [
    { ...system('You know {{ x }}.'), name: 'guide' },
    { role: 'developer', content: '{{ x }}' },
    ...others,
    user([
      { type: 'text', text: 'See {{ x }}', cache_control: { type: 'ephemeral' } },
      { type: 'image_url', image_url: '{{ x }}' },
    ]),
  ]
  const messages = renderedMessages(template, { x: 'tea' })
  t.deepEqual(messages, [
    { role: 'system', content: 'You know tea.', name: 'guide' },
    { role: 'developer', content: 'tea' },
    assistant('{{ x }}'),
    toolResult('call_1', '{{ x }}'),
    user([
      { type: 'text', text: 'See tea', cache_control: { type: 'ephemeral' } },
      { type: 'image_url', image_url: '{{ x }}' },
    ]),
  ])
  t.is(Array.isArray(messages) ? messages[2] : undefined, others[0], 'the very same message')
})

test('the variables of all messages are required together', (t) => {
  refused(
    t,
    renderedMessages([user('{{ b }}{{ a }}'), assistant('{{ no }}'), system('{{ a }}{{ c }}')], { c: 1 }),
    {
      path: 'a, b',
    },
  )
})

test('what one message sets, the next one does not know', (t) => {
  refused(t, renderedMessages([user('{% set a = 1 %}'), user('{{ a }}')], {}), { path: 'a' })
})

test('says which message has the template that is wrong', (t) => {
  refusedWhenBuilt(t, [user('a'), user('b\n{{')], { path: 'template[1].content:2:1' })
  refusedWhenBuilt(t, [user([{ type: 'text', text: '{% if x %}' }])], {
    path: 'template[0].content[0].text:1:1',
  })
})

// ── a codec for the variables

const DateFromISO = new io.Type<Date, string, unknown>(
  'DateFromISO',
  (u): u is Date => u instanceof Date,
  (u, context) =>
    typeof u === 'string' && !Number.isNaN(Date.parse(u)) ? io.success(new Date(u)) : io.failure(u, context),
  (date) => date.toISOString().slice(0, 10),
)

test('checks the input by the codec, and renders its encoded form', (t) => {
  const variables = io.type({ on: DateFromISO }, 'Day')
  t.is(rendered('{{ on }}', { on: new Date(0) }, { variables }), '1970-01-01')
  const wrong = { path: 'on', expected: DateFromISO.name }
  refused(t, rendered('{{ on }}', { on: new Date(Number.NaN) }, { variables }), wrong)
  refused(t, rendered('{{ on }}', { on: 'yesterday' }, { variables }), wrong)
  refused(t, rendered('{{ on }}', { on: undefined }, { variables }), { path: '', expected: 'Day' })
  // What only plain JavaScript can pass.
  refused(t, rendered('{{ on }}', JSON.parse('null'), { variables }), { expected: 'Day', found: 'null' })
  const nested = io.intersection([io.type({ a: variables }), io.partial({ b: io.string, 'c-d': variables })])
  refused(t, rendered('', { on: 0 }, { variables: io.strict({ on: DateFromISO }) }), wrong)
  const day = { on: new Date(0) }
  refused(t, rendered('', { a: { on: 0 } }, { variables: nested }), {
    ...wrong,
    path: 'a.on',
    found: 'number 0',
  })
  refused(t, rendered('', { a: day, 'c-d': { on: 0 } }, { variables: nested }), {
    ...wrong,
    path: '["c-d"].on',
  })
  const beside = io.intersection([variables, io.UnknownRecord])
  refused(t, rendered('', { on: 0 }, { variables: beside }), wrong)
})

test('a wrong variable is refused by its path, before anything is rendered', (t) => {
  const variables = io.type({ topic: io.string })
  refused(t, rendered('{{ a.b.c }}', { topic: 3 }, { variables }), {
    path: 'topic',
    expected: 'string',
    found: 'number 3',
  })
})

test('a codec and the requirement both count', (t) => {
  const variables = io.partial({ topic: io.string })
  refused(t, rendered('{{ topic }}', {}, { variables }), { path: 'topic', found: 'undefined' })
  t.is(rendered('{{ topic }}', {}, { variables, required: [] }), '')
})

// ── as an operator

test('is a task with its name, flattened in order', (t) => {
  const prompt = buildPrompt('a')
  t.is(prompt.spanName, 'buildPrompt')
  t.is(prompt.flatten, concatMap)
})

test('ends with an empty source, and forwards its error', (t) => {
  const notes: Array<string> = []
  const observer = (name: string) => ({
    next: () => notes.push(`${name} next`),
    error: (error: unknown) => notes.push(`${name} ${error}`),
    complete: () => notes.push(`${name} complete`),
  })
  EMPTY.pipe(buildPrompt('a')).subscribe(observer('empty'))
  throwError(() => 'mine')
    .pipe(buildPrompt('a'))
    .subscribe(observer('error'))
  t.deepEqual(notes, ['empty complete', 'error mine'])
})

test('stops at the first item that fails', (t) => {
  const seen: Array<string> = []
  of({ x: '1' }, {}, { x: '3' })
    .pipe(buildPrompt<{ x?: string }>('{{ x }}'))
    .subscribe({ next: (prompt) => seen.push(prompt), error: (error) => seen.push(error.name) })
  t.deepEqual(seen, ['1', 'InvalidInput'])
})

test('stops a synchronous source', (t) => {
  let pulled = 0
  const endless = new Observable<{ n: number }>((subscriber) => {
    while (!subscriber.closed && pulled < 100) subscriber.next({ n: pulled++ })
  })
  const seen: Array<ReadonlyArray<string>> = []
  endless.pipe(buildPrompt('{{ n }}'), take(3), toArray()).subscribe((prompts) => seen.push(prompts))
  t.deepEqual(seen, [['0', '1', '2']])
  t.is(pulled, 3)
})

test('unsubscribing leaves the source', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable, expectSubscriptions }) => {
    const item$ = cold('-a-a-', { a: { x: 1 } })
    expectObservable(item$.pipe(buildPrompt('{{ x }}')), '^--!').toBe('-x--', { x: '1' })
    expectSubscriptions(item$.subscriptions).toBe('^--!')
  }))

test('two subscriptions share nothing', (t) => {
  const prompt = buildPrompt<{ x: number }>('{% set y = x %}{{ y }}')
  const seen: Array<string> = []
  of({ x: 1 })
    .pipe(prompt)
    .subscribe((text) => seen.push(text))
  of({ x: 2 })
    .pipe(prompt)
    .subscribe((text) => seen.push(text))
  t.deepEqual(seen, ['1', '2'])
})

test('takes an item that comes while another one is emitted', (t) => {
  const item$ = new Subject<{ n: number }>()
  const seen: Array<string> = []
  item$.pipe(buildPrompt('{{ n }}')).subscribe((text) => {
    seen.push(text)
    if (text === '1') item$.next({ n: 2 })
  })
  item$.next({ n: 1 })
  t.deepEqual(seen, ['1', '2'])
})

// ── laws

const INGREDIENTS = [
  '{{',
  '}}',
  '{%',
  '%}',
  '{#',
  '#}',
  '-',
  '+',
  ' ',
  '\n',
  'if ',
  'endif',
  'else',
  'for ',
  'endfor',
  'in ',
  'set ',
  'endset',
  'raw ',
  'endraw',
  'macro ',
  'endmacro',
  'x',
  'y.z',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '|',
  'upper',
  'join',
  ',',
  '=',
  '==',
  '"',
  "'",
  '\\',
  '1',
  '.5',
  'is ',
  'not ',
  'defined',
  '~',
  'range(9)',
]

testProp(
  'law: whatever the template, building it succeeds or throws an InvalidInput, and so does rendering',
  [fc.array(fc.constantFrom(...INGREDIENTS), { maxLength: 24 })],
  (t, pieces) => {
    try {
      const result = rendered(pieces.join(''), { x: 'a', y: { z: [1] } }, { required: [] })
      t.true(typeof result === 'string' || result instanceof InvalidInput)
    } catch (error) {
      t.true(error instanceof InvalidInput, String(error))
    }
  },
  { numRuns: 2000 },
)

const EXPRESSIONS = [
  'x',
  'y.z',
  '"a"',
  '1',
  'x | upper',
  'y.z | join',
  'x ~ 1',
  'x is defined',
  'not x',
  '[x, 1]',
  'x if y else 2',
  'missing',
  'x[0]',
  'missing.a',
]

testProp(
  'law: a template of whole tags renders, or is refused by an InvalidInput',
  [
    fc.array(
      fc.oneof(
        fc.constantFrom(...EXPRESSIONS).map((expression) => `{{ ${expression} }}`),
        fc.constantFrom(...EXPRESSIONS).map((expression) => `{% if ${expression} %}a{% else %}b{% endif %}`),
        fc
          .constantFrom(...EXPRESSIONS)
          .map((expression) => `{% for i in ${expression} %}{{ i }}{% endfor %}`),
        fc.constantFrom(...EXPRESSIONS).map((expression) => `{% set v = ${expression} %}{{ v }}`),
      ),
      { maxLength: 6 },
    ),
  ],
  (t, pieces) => {
    const result = rendered(pieces.join(' '), { x: 'a', y: { z: [1] } }, { required: [] })
    t.true(typeof result === 'string' || result instanceof InvalidInput)
  },
  { numRuns: 500 },
)

const asJinjaReads = (text: string): string => text.replace(/\r\n?/g, '\n')

testProp(
  'law: text without tags renders as itself',
  [fc.string({ unit: 'binary' }).filter((text) => !text.includes('{'))],
  (t, text) => {
    t.is(rendered(text, {}), asJinjaReads(text).replace(/\n$/, ''))
  },
)

testProp('law: a value renders as itself', [fc.string({ unit: 'binary' })], (t, x) => {
  t.is(rendered('{{ x }}', { x }), x)
})

testProp(
  'law: the content of a raw block renders as itself',
  [
    fc
      .array(fc.oneof(fc.constantFrom(...INGREDIENTS), fc.string({ unit: 'binary' })), { maxLength: 8 })
      .map((parts) => parts.join('')),
  ],
  (t, text) => {
    fc.pre(!/\{%[-+]?\s*endraw/.test(text))
    t.is(rendered(`{% raw %}${text}{% endraw %}`, {}), asJinjaReads(text))
  },
)

testProp('law: every JSON value can be shown and is left as it was', [fc.jsonValue()], (t, x) => {
  const before = structuredClone(x)
  t.is(typeof rendered('{{ x }}{{ x | tojson }}', { x }), 'string')
  t.deepEqual(x, before)
})

// ── types

test('types follow the template and the codec', (t) => {
  const variables = io.type({ topic: io.string })
  interface Item {
    readonly topic: string
  }
  const item: Item = { topic: 'tea' }
  expectTypeOf(buildPrompt('a')).toExtend<Component<object, string>>()
  expectTypeOf(buildPrompt([user('a')])).toExtend<Component<object, ReadonlyArray<ChatMessage>>>()
  expectTypeOf(buildPrompt('a', { variables })).toEqualTypeOf<Component<{ topic: string }, string>>()
  expectTypeOf(of(item).pipe(buildPrompt('{{ topic }}'))).toEqualTypeOf<Observable<string>>()
  // @ts-expect-error -- a list has no named fields
  of(['tea']).pipe(buildPrompt('{{ topic }}'))
  // @ts-expect-error -- the item is not what the codec describes
  of({ topic: 3 }).pipe(buildPrompt('{{ topic }}', { variables }))
  t.pass()
})
