import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import { InvalidInput } from '../../dist/errors.js'
import { compileTemplate } from '../../dist/templates/compileTemplate.js'

const VALUES = {
  docs: [
    { text: 'x', active: true, is: 'fine', meta: { url: 'a', score: 1, tags: ['t1'] } },
    { text: 'y', active: false, meta: { url: 'b', score: 2, tags: ['t2'] } },
    { text: 'z', meta: { url: 'a', score: 3, tags: ['t3'] } },
  ],
  two: 2,
  yes: true,
  names: ['a', 'b'],
  rows: [
    { id: '1', cat: 'b', score: 2 },
    { id: '2', cat: 'A', score: 3 },
    { id: '3', cat: 'a', score: 1 },
    { id: '4', cat: 'B', score: 5 },
  ],
}

const rendered = (template: string, values: Readonly<Record<string, unknown>> = VALUES): string =>
  compileTemplate('test', 'template', template).render(values)

// ── plain: what Jinja 3.1.6 renders, with truth values, null and lists as this library shows them

type Row = readonly [template: string, output: string]

const families: ReadonlyArray<readonly [title: string, rows: ReadonlyArray<Row>]> = [
  [
    'chooses items by a test of what a dotted path names',
    [
      ["{{ docs | selectattr('meta.url', 'equalto', 'a') | map(attribute='text') | join }}", 'xz'],
      ["{{ docs | selectattr('meta.score', '>', 1) | map(attribute='text') | join }}", 'yz'],
      ["{{ docs | rejectattr('meta.score', 'ge', two) | map(attribute='text') | join }}", 'x'],
      ["{{ docs | selectattr('meta.score', 'in', [1, 3]) | map(attribute='text') | join }}", 'xz'],
      ["{{ docs | selectattr('meta.url', 'ne', 'a') | list | length }}", '1'],
      ["{{ docs | selectattr('meta.score', 'lt', 2) | list | length }}", '1'],
      ["{{ docs | selectattr('meta.score', '>=', 2) | list | length }}", '2'],
      ["{{ docs | selectattr('meta.score', 'divisibleby', 2) | list | length }}", '1'],
      ["{{ docs | selectattr('meta.nope', 'undefined') | list | length }}", '3'],
      ["{{ docs | selectattr('meta.tags.0', 'eq', 't2') | map(attribute='text') | join }}", 'y'],
    ],
  ],
  [
    'chooses items by a test of a field',
    [
      ["{{ docs | selectattr('active') | list | length }}", '1'],
      ["{{ docs | rejectattr('active') | map(attribute='text') | join }}", 'yz'],
      ["{{ docs | selectattr('active', 'equalto', true) | list | length }}", '1'],
      ["{{ docs | selectattr('active', 'eq', yes) | list | length }}", '1'],
      ["{{ docs | selectattr('active', 'defined') | list | length }}", '2'],
      ["{{ docs | selectattr('nope', 'undefined') | list | length }}", '3'],
      ["{{ docs | selectattr('text', 'in', 'xy') | map(attribute='text') | join }}", 'xy'],
    ],
  ],
  [
    'chooses none of what counts as false',
    [
      [
        "{{ none | map('upper') | join }}{{ none | map(attribute='text') | join }}{{ '' | select | join }}{{ 0 | reject('odd') | join }}{{ false | selectattr('text') | join }}{{ none | rejectattr('text') | join }}",
        '',
      ],
    ],
  ],
  [
    'chooses items by a test',
    [
      ["{{ [1, 0, '', 2] | select | join }}", '12'],
      ["{{ [1, 2, 3] | select('odd') | join }}", '13'],
      ["{{ [1, 2, 3] | reject('odd') | join }}", '2'],
      ["{{ [1, 2, 3] | select('>', 1) | join }}", '23'],
      ["{{ [1, none] | reject('none') | join }}", '1'],
      ["{{ [1, 2, 3] | select('in', [1, 3]) | join }}", '13'],
      ["{{ ['a', 1] | select('string') | join }}", 'a'],
    ],
  ],
  [
    'starts each item of a loop without what the last one set',
    [
      ['{% set y = 1 %}{% for i in [3, 1, 2] %}{% set y = y + i %}{{ y }}{% endfor %}{{ y }}', '4231'],
      [
        '{% for r in rows %}{% if r.score > 2 %}{% set seen = r.id %}{% endif %}{{ seen }},{% endfor %}',
        ',2,,4,',
      ],
      ['{% for i in [1, 2, 3] %}{% set a, i = (i, 0) %}{{ i }}{{ a }}{% endfor %}', '010203'],
      [
        '{% for i in [1, 2] %}{% for j in [1, 2] %}{{ x }}{% set x = j %}{% endfor %}{{ x }}{% set x = i %}{% endfor %}',
        '',
      ],
      [
        '{% for i in [1, 2, 3] %}{{ x }}{% set x = i %}{% if i < 3 %}{% continue %}{% endif %}{{ x }}{% endfor %}',
        '3',
      ],
    ],
  ],
  [
    'reads what is at a place',
    [
      ["{% set t = 'é😀ß' %}{{ t[1] }}{{ t[-1] }}{{ t[:2] }}{{ t[3] }}", '😀ßé😀'],
      ['{{ names[0] }}{{ names[-1] }}{{ names[2] }}{{ names.1 }}{{ names[true] }}', 'abbb'],
      ["{% set t = '😀b' %}{{ t.0 }}{{ t.1 }}{{ t.2 }}", '😀b'],
      [
        "[{{ names['a'] }}{{ names[1.5] }}{{ names[none] }}{{ names[missing] }}{{ rows[0][none] }}{{ two[0] }}]",
        '[]',
      ],
      [
        "{{ {1: 'one', 'b': 2}[1] }}{{ {1: 'one'}[two] }}{{ 1 in {1: 2} }}{{ none in {'a': 1} }}",
        'onetruefalse',
      ],
      ["{{ ['a'][0.0] }}[{{ 'ab'[5] }}{{ 'ab'[-3] }}{{ names[-3] }}]{{ {'a': 1}['a'] }}", '[]1'],
      ["[{{ names.length }}{{ 'ab'.length }}{{ names['length'] }}]{{ {'length': 1}.length }}", '[]1'],
    ],
  ],
  [
    'takes slices',
    [
      [
        '{{ [1, 2, 3][1:9] | length }} {{ [1, 2, 3][9::-1] | length }} {{ [1, 2, 3][2:1] | length }}',
        '2 3 0',
      ],
      [
        "{% set t = 'abcd' %}{{ t[1:] }} {{ t[:-1] }} {{ t[::-1] }} {{ t[-9:9:2] }} {{ t[2::-1] }} {{ t[9:0:-2] }} [{{ t[:-1:-1] }}{{ t[3:1] }}]",
        'bcd abc dcba ac cba db []',
      ],
      [
        '{{ [1, 2, 3][:none] }} {{ [1, 2, 3][none:2] }} {{ [1, 2, 3][true:] }} [{{ two[1:] }}{{ none[1:] }}]',
        '[1, 2, 3] [1, 2] [2, 3] []',
      ],
      [
        "{% set t = 'abcd' %}{{ t[-9:2] }} {{ t[9::-3] }} {{ t[:-9:-1] }} {{ t[-9::-1] }} {{ 'a😀b'[::-1] }} {{ 'a😀b'[1:] }}",
        'ab da dcba  b😀a 😀b',
      ],
    ],
  ],
  [
    'shows and unpacks tuples as lists',
    [
      [
        '{{ (1, 2) }} {{ [(1, 2)] }} {{ (1, 2) | tojson }} {{ (1, 2) == [1, 2] }}',
        '[1, 2] [[1, 2]] [1, 2] false',
      ],
      ['{% for k, v in [(1, 2), (3, 4)] %}{{ k }}{{ v }};{% endfor %}', '12;34;'],
      ["{% set both = (1, 'b') %}{{ '%s-%s' % both }}", '1-b'],
      ['{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}', '123'],
      ['{% set a, (b, (c, d)) = 1, (2, [3, 4]) %}{{ a }}{{ b }}{{ c }}{{ d }}', '1234'],
    ],
  ],
  [
    'maps items to what a dotted path names',
    [
      ["{{ docs | map(attribute='meta.tags.0') | join(',') }}", 't1,t2,t3'],
      ["{{ ['ab', '😀d'] | map(attribute='0') | join }} {{ [5] | map(attribute='0') | join }}", 'a😀 '],
      ["{{ docs | map(attribute='meta.nope', default='d') | join(',') }}", 'd,d,d'],
      ["{{ docs | map(attribute='meta.nope.x', default='d') | join(',') }}", 'd,d,d'],
      ['{{ [[3, 4], [5, 6]] | map(attribute=1) | join }}', '46'],
      ["{{ docs | map(attribute='meta.nope', default=none) | select('undefined') | list | length }}", '3'],
    ],
  ],
  [
    'maps items by a filter, with its arguments',
    [
      ["{{ ['a', 'b'] | map('upper') | join }}", 'AB'],
      ["{{ ['a', 'b'] | map('replace', 'a', 'x') | join }}", 'xb'],
      ["{{ [1.5, 2.5] | map('round') | join(',') }}", '2.0,2.0'],
      ["{{ [[1, 2], [3]] | map('join', '+') | join('|') }}", '1+2|3'],
      ["{{ ['3', 'x'] | map('int', default=9) | join(',') }}", '3,9'],
      ["{{ [[3], [1, 2]] | map('first') | join }}", '31'],
    ],
  ],
  [
    'a macro and caller count as true',
    [
      [
        "{% macro w() %}<{{ caller() if caller }}{{ 'c' if not caller }}>{% endmacro %}{% call w() %}in{% endcall %}{{ w() }}{{ 'm' if w }}",
        '<in><c>m',
      ],
      [
        '{% macro w() %}<{% if caller %}{{ caller() }}{% else %}none{% endif %}>{% endmacro %}{% call w() %}in{% endcall %}{{ w() }}',
        '<in><none>',
      ],
      [
        "{% macro m() %}{% endmacro %}{{ 'a' if m else 'b' }}{{ 'a' if not m else 'b' }}{{ 'a' if m and true else 'b' }}{{ 'a' if false or m else 'b' }}",
        'abaa',
      ],
    ],
  ],
  [
    'strips what it is told to',
    [
      ["{{ '\"a\"'.strip('\"') }}{{ 'a,,'.rstrip(',') }}{{ '## a'.lstrip('# ') }}", 'aaa'],
      ["[{{ ' a '.strip() }}][{{ ' a '.lstrip() }}][{{ ' a '.rstrip() }}]", '[a][a ][ a]'],
      ["{{ 'xxaxx' | trim('x') }}[{{ '  a ' | trim }}]{{ 'abca' | trim(chars='ab') }}", 'a[a]c'],
    ],
  ],
  [
    'calls the methods of text',
    [
      [
        "{{ 'hELLO wORLD'.capitalize() }} {{ \"it's\".title() }} {{ 'élan vital'.title() }} {{ 'aB'.upper().lower() }}",
        "Hello world It'S Élan Vital ab",
      ],
      [
        "{{ 'a b c'.split() | join('|') }} {{ ' a  b c '.split(none, 1) | join('|') }} {{ 'a,b,c'.split(',', 1) | join('|') }} {{ 'a,b,c'.split(',', -2) | join('|') }} {{ ''.split(',') | length }} {{ ''.split() | length }} {{ 'a,b'.split(sep=',') | join('|') }}",
        'a|b|c a|b c  a|b,c a|b|c 1 0 a|b',
      ],
      [
        "{{ 'a\\nb\\n'.splitlines() | join('|') }} {{ ', '.join(['a', 'b']) }} {{ 'abc'.removeprefix('a').removesuffix('c') }} {{ 'aXbX'.replace('X', '-', 1) }} {{ 'ab'.replace('', '-') }}",
        'a|b a, b b a-bX -a-b-',
      ],
      [
        "{{ 'abc'.startswith('a') }} {{ 'abc'.endswith(('x', 'c')) }} {{ 'abc'.endswith('x') }}",
        'true true false',
      ],
      [
        "{{ ' a  b '.split(none, 0) | join('|') }}|{{ ' a b '.split(none, 1) | join('|') }}|{{ 'a,b'.split(',', 0) | join('|') }}|{{ 'a\\x1cb'.split() | join('|') }}|{{ '\\x1c a '.strip() }}|{{ '😀a😀'.strip('😀') }}",
        'a  b |a|b |a,b|a|b|a|a',
      ],
      [
        "{{ 'abc'.removesuffix('') }} {{ 'aba'.removesuffix('a') }} {{ 'aba'.removeprefix('a') }} {{ 'abc'.removesuffix('a') }} {{ 'abc'.startswith('b') }} {{ 'aa'.replace('a', 'b') }} {{ 'aa'.replace('a', 'b', 0) }} {{ 'ªb 1a aあb'.title() }}",
        'abc ab ba abc false bb aa ªb 1A AあB',
      ],
    ],
  ],
  [
    'calls the methods of objects',
    [
      [
        "{{ {'a': 1}.get('a') }} {{ {'a': 1}.get('b') }} {{ {'a': 1}.get('b', 'd') }} {{ {'a': 1, 'b': 2}.keys() | join }} {{ {'a': 1, 'b': 2}.values() | join }}{% for k, v in {'a': 1}.items() %} {{ k }}{{ v }}{% endfor %}",
        '1  d ab 12 a1',
      ],
      [
        "{{ {'a': 1}.get('b') is none }} {{ {'a': none}.get('a', 2) is none }} {{ {'1': 2}.get('1') }}",
        'true true 2',
      ],
      ["[{{ {'': 1, '[1]': 2}.get(none) }}{{ {'': 1}.get(missing) }}] {{ {1: 2}.get(1) }}", '[] 2'],
    ],
  ],
  [
    'reads whole numbers',
    [
      [
        "{{ -1.5 | int }} {{ '12abc' | int }} {{ '1,000' | int }} {{ 42.7 | int(0) }} {{ ' 42 ' | int }} {{ '4.9' | int }} {{ '1_000' | int }} {{ '-3' | int }} {{ '1e3' | int }} {{ '-0.5' | int }}",
        '-1 0 0 42 42 4 1000 -3 1000 0',
      ],
      [
        "{{ 'x' | int(7) }} {{ 'ff' | int(0, 16) }} {{ '0xff' | int(base=16) }} {{ none | int }} {{ true | int }} {{ [1] | int(5) }}",
        '7 255 255 0 1 5',
      ],
      [
        "{{ '0b101' | int(0, 2) }} {{ '0O17' | int(0, 8) }} {{ 'zz' | int(0, 36) }} {{ '1z' | int(9, 35) }} {{ '1__0' | int }} {{ '1_' | int }} {{ ('-0' | int) / 1 }} {{ (-0.5 | int) / 1 }} {{ '1e400' | int }}",
        '5 15 1295 9 0 0 0.0 0.0 0',
      ],
    ],
  ],
  [
    'reads numbers with a point',
    [
      [
        "{{ '1.5' | float }} {{ 2 | float }} {{ 'x' | float }} {{ 'x' | float(1.5) }} {{ '1.5abc' | float }} {{ '.5' | float }} {{ '5.' | float }} {{ '1e3' | float }} {{ none | float(2) }} {{ '0x10' | float }} {{ '' | float }}",
        '1.5 2.0 0.0 1.5 0.0 0.5 5.0 1000.0 2 0.0 0.0',
      ],
    ],
  ],
  [
    'calculates as Python does',
    [
      [
        '{{ -7 % 3 }} {{ 7 % -3 }} {{ -7 // 2 }} {{ 7.5 % 2 }} {{ -6 % 3 }} {{ -7.5 % 2 }}',
        '2 -2 -4 1.5 0 0.5',
      ],
      [
        '{{ 7 / 2 }} {{ 4 / 2 }} {{ 7.0 // 2 }} {{ 2 * 3.0 }} {{ true + 1 }} {{ 1 - 2 }} {{ 2 ** 3 }} {{ 2 ** -1 }}',
        '3.5 2.0 3.0 6.0 2 -1 8 0.5',
      ],
      [
        "{{ ['1', 2.5, -0.0] | map('float') | list }} {{ {'a': 4 / 2, 'b': [1]} }} {{ (4 / 2, 1) }}",
        '[1.0, 2.5, -0.0] {"a": 2.0, "b": [1]} [2.0, 1]',
      ],
      [
        "{{ 'ab' * 3 }} {{ 3 * 'ab' }} {{ ([1, 2] * 2) | join }} [{{ 'a' * 0 }}{{ 'a' * -1 }}] {{ ([1] + [2]) | join }}",
        'ababab ababab 1212 [] 12',
      ],
      [
        '{{ -5.0 % 5 }} {{ 5.0 % -5 }} {{ (5 % -5) / 3 }} {{ 0 * -1 / 1 }} {{ 1 // 0.1 }} {{ 7 // -2 }} {{ -0.5 // 1 }} {{ 1 - 0.5 }} {{ 2 * 0.5 }}',
        '0.0 -0.0 0.0 0.0 9.0 -4 -1.0 0.5 1.0',
      ],
      [
        '{{ -0.5 // -2 }} {{ -1 // -2.0 }} {{ 0.5 // -2 }} {{ 0.0 // -2 }} {{ -7 // 2.0 }} {{ 0 / -3 }} {{ -0.0 | round(2) }} {{ -0.0 | round(30) }}',
        '0.0 0.0 -1.0 -0.0 -4.0 -0.0 -0.0 -0.0',
      ],
      ["{{ 'ab' * true }} {{ [] * 3 }} {{ [1] * -1 }} {{ true * 3 }} [{{ '' * 5 }}]", 'ab [] [] 3 []'],
    ],
  ],
  [
    'compares as Python does',
    [
      [
        "{{ 1 < 2 < 3 }} {{ 3 > 2 > 2 }} {{ 1 < two <= 2 }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ 'Z' < 'a' }}",
        'true false true true true true',
      ],
      [
        "{{ 'a' in 'abc' }} {{ 1 in [1.0] }} {{ [1] in [[1]] }} {{ 'a' in {'a': 1} }} {{ 1 not in [2] }} {{ 'x' in missing }}",
        'true true true true true false',
      ],
      [
        "{{ '😀' > '\\uffff' }} {{ 'a' < 'ab' }} {{ 'ab' < 'a' }} {{ [1] < [1, 2] }} {{ [1, 2] < [1] }} {{ 2 <= 2 }} {{ 2 >= 2 }} {{ 2 > 2 }} {{ 3 >= 2 >= 2 }} {{ 1 >= 2 >= 0 }}",
        'true true false true false true true false true false',
      ],
      [
        "{{ [1, 2] == [1] }} {{ [1] == [1, 2] }} {{ {'a': 1, 'b': 2} == {'a': 1} }} {{ [1] == [true] }} {{ {} in [{}] }} {{ 1 in [] }} {{ (2 == 2) == true }}",
        'false false false true true false true',
      ],
    ],
  ],
  [
    'fills the directives of a text',
    [
      [
        "{{ '%s is %d and %.2f' | format('a', 3, 1.005) }} {{ '%5d|%-5d|%05d|%+d|% d' | format(1, 2, 3, 4, 5) }} {{ '%x %X %o %%' | format(255, 255, 8) }}",
        'a is 3 and 1.00     1|2    |00003|+4| 5 ff FF 10 %',
      ],
      [
        "{{ '%(a)s-%(b)03d' | format(a='x', b=7) }} {{ '%s' | format(1.0) }} {{ '%10.3f|%-10s|%.2s' | format(3.14159, 'ab', 'xyz') }}",
        'x-007 1.0      3.142|ab        |xy',
      ],
      [
        "{{ '%d' | format(3.9) }} {{ '%d' | format(-3.9) }} {{ '%i' | format(true) }} {{ '%05d' | format(-42) }} {{ '%.0f' | format(2.5) }} {{ '%.2f' | format(0.125) }} {{ '%f' | format(-0.5) }} {{ '%.1f' | format(10.0 ** 22) }}",
        '3 -3 1 -0042 2 0.12 -0.500000 10000000000000000000000.0',
      ],
      [
        // Python's own answers: a middle goes to the even digit beside it.
        "{{ '%.0f %.0f %.1f %.0f' | format(21.5, 22.5, 2.75, 10.0 ** 21) }}",
        '22 22 2.8 1000000000000000000000',
      ],
      ["{{ '%s' % 'x' }} {{ '%s-%s' % (1, 'b') }} {{ '%(k)s' % {'k': 'v'} }}", 'x 1-b v'],
      [
        "{{ '%4s|%-4s|%-04d|%+ d|%.f|%F|%5.3d' | format('a😀', '😀', 3, 4, 2.5, 1.5, 7) }} {{ '%d %f %+d' | format(-0.5, -0.0, 0) }} {{ 'a' % {'b': 1} }} {{ '%x' | format(-255) }}",
        '  a😀|😀   |3   |+4|2|1.500000|  007 0 -0.000000 +0 a -ff',
      ],
    ],
  ],
  [
    'writes text with capitals',
    [
      [
        "{{ \"it's a dog-house\" | title }} {{ 'a(b) [c] {d} <e' | title }} {{ 'FOO bar' | title }} {{ 'hELLO' | capitalize }}",
        "It's A Dog-House A(B) [C] {D} <E Foo Bar Hello",
      ],
      ["{{ '𐐨𐐀' | capitalize }} {{ 'a<b' | title }}", '𐐀𐐨 A<B'],
    ],
  ],
  [
    'falls back on another value',
    [
      [
        "{{ missing | default(default_value='n/a') }} {{ '' | default('x', true) }} {{ '' | default('x', boolean=true) }} {{ 0 | d(1, true) }} [{{ missing | d }}] {{ missing | default(two) }} {{ '' | default('x') }}",
        'n/a x x 1 [] 2 ',
      ],
      [
        "{{ [] | default('x', true) }} {{ {} | default('x', true) }} {{ [0] | default('x', true) | length }}",
        'x x 1',
      ],
    ],
  ],
  [
    'drops what is there twice',
    [
      [
        "{{ ['a', 'A', 'b'] | unique | join }} {{ ['a', 'A', 'b'] | unique(true) | join }} {{ [1, 1.0, true, 2] | unique | join(',') }} {{ docs | unique(attribute='meta.url') | map(attribute='text') | join }}",
        'ab aAb 1,2 xy',
      ],
      ["{{ ['null', none, 'None', 1, '1'] | unique | list | length }}", '5'],
    ],
  ],
  [
    'sorts',
    [
      [
        "{{ [{'n': 'b'}, {'n': 'a'}] | sort(attribute='v') | map(attribute='n') | join }} {{ [{'n': 'b', 'v': none}, {'n': 'a', 'v': none}] | sort(attribute='v,n') | map(attribute='n') | join }}",
        'ba ab',
      ],
      [
        "{{ [none, none] | sort | length }} {{ [[none, 2], [none, 1]] | sort | map('last') | join }} {{ [[none, 2], [none, 1]] | min | last }} {{ [none, 1] < [none, 2] }}",
        '2 12 1 true',
      ],
      [
        "{{ rows | sort(attribute='cat,score') | map(attribute='id') | join }} {{ rows | sort(attribute='score', reverse=true) | map(attribute='id') | join }} {{ rows | sort(attribute='cat') | map(attribute='id') | join }} {{ rows | sort(true, true, 'cat') | map(attribute='id') | join }}",
        '3214 4213 2314 1342',
      ],
      [
        "{{ ['b', 'A', 'c'] | sort | join }} {{ ['b', 'A', 'c'] | sort(case_sensitive=true) | join }} {{ 'bac' | sort | join }} {{ {'b': 1, 'a': 2} | sort | join }} {{ [2, 1.5, 1] | sort | join(' ') }}",
        'Abc Abc abc ab 1 1.5 2',
      ],
      [
        "{{ {'b': 1, 'A': 2, 'c': 0} | dictsort | map('first') | join }} {{ {'b': 1, 'A': 2} | dictsort(true) | map('first') | join }} {{ {'b': 1, 'A': 2, 'c': 0} | dictsort(by='value') | map('first') | join }} {{ {'b': 1, 'A': 2} | dictsort(reverse=true) | map('first') | join }}",
        'Abc Ab cbA bA',
      ],
      [
        "{{ rows | sort(attribute='cat, score') | map(attribute='id') | join }} {{ {'b': 1, 'a': 2} | dictsort(false, 'value', true) | map('first') | join }}",
        '2314 ab',
      ],
    ],
  ],
  [
    'adds up',
    [
      [
        "{{ [1, 2, 3] | sum }} {{ [0.5, 0.5] | sum }} {{ rows | sum(attribute='score') }} {{ rows | sum('score', 10) }} {{ [] | sum }} {{ [[1], [2, 3]] | sum(start=[]) | join }}",
        '6 1.0 11 21 0 123',
      ],
      ['{{ [[2], [3]] | sum(start=[1]) | join }} {{ [1] | sum(start=0.5) }}', '123 1.5'],
    ],
  ],
  [
    'rounds',
    [
      [
        "{{ 42.55 | round }} {{ 42.55 | round(1, 'floor') }} {{ 2.675 | round(2) }} {{ 2.5 | round }} {{ 3.5 | round }} {{ 0.125 | round(2) }} {{ -2.5 | round }} {{ 1.23456 | round(3) }}",
        '43.0 42.5 2.67 2.0 4.0 0.12 -2.0 1.235',
      ],
      [
        "{{ 42 | round }} {{ 42 | round(1) }} {{ 42.1 | round(0, 'ceil') }} {{ 42.51 | round(1, 'ceil') }} {{ 42 | round(0, 'ceil') }} {{ 1234 | round(-2) }} {{ 1250.0 | round(-2) }} {{ 1350 | round(-2) }} {{ 5 | round(-1) }} {{ 15 | round(-1) }}",
        '42 42 43.0 42.6 42.0 1200 1200.0 1400 0 20',
      ],
      [
        "{{ -0.5 | round(0, 'ceil') }} {{ -0.0 | round(0, 'floor') }} {{ -0.04 | round(1, 'ceil') }} {{ (1 / 10 ** 25) | round(24) }} {{ 1.5 | round(150) }} {{ -0.4 | round }} {{ -2.0 | abs }}",
        '0.0 0.0 0.0 0.0 1.5 -0.0 2.0',
      ],
    ],
  ],
  [
    'groups',
    [
      [
        "{% for cat, group in rows | groupby('cat') %}{{ cat }}:{{ group | map(attribute='id') | join }};{% endfor %}",
        'A:23;b:14;',
      ],
      [
        "{% for g in rows | groupby('cat') %}{{ g.grouper }}:{% for row in g.list %}{{ row.id }}{% endfor %};{% endfor %}",
        'A:23;b:14;',
      ],
      [
        "{% for cat, group in rows | groupby('cat', case_sensitive=true) %}{{ cat }}:{{ group | length }};{% endfor %}{% for cat, group in docs | groupby('meta.none', default='z') %}{{ cat }}{{ group | length }}{% endfor %}",
        'A:1;B:1;a:1;b:1;z3',
      ],
    ],
  ],
  [
    'groups have parts with names',
    [
      ["{{ rows | groupby('cat') | map(attribute='grouper') | join(',') }}", 'A,b'],
      ["{{ rows | groupby('cat') | map(attribute='list.0.id') | join(',') }}", '2,1'],
      ["{{ rows | groupby('cat') | map('first') | join(',') }}", 'A,b'],
    ],
  ],
  [
    'puts items in rows and columns',
    [
      [
        "{% for row in [1, 2, 3, 4, 5] | batch(2) %}{{ row | join }};{% endfor %}{% for row in [1, 2, 3, 4, 5] | batch(3, 'x') %}{{ row | join }};{% endfor %}{% for row in [] | batch(3, 'x') %}{{ row | join }};{% endfor %}",
        '12;34;5;123;45x;',
      ],
      [
        "{% for row in [1, 2, 3, 4, 5, 6, 7] | slice(3) %}{{ row | join }};{% endfor %}{% for row in [1, 2, 3, 4, 5, 6, 7] | slice(3, 'x') %}{{ row | join }};{% endfor %}{% for row in [1] | slice(3, 'x') %}{{ row | join }};{% endfor %}",
        '123;45;67;123;45x;67x;1;x;x;',
      ],
      [
        "{% for row in [1, 2, 3, 4] | slice(2, 'x') %}{{ row | join }};{% endfor %}{% for row in [1, 2] | batch(2, 'x') %}{{ row | join }};{% endfor %}",
        '12x;34x;12;',
      ],
    ],
  ],
  [
    'finds the least and the most',
    [
      [
        "{{ [3, 1, 2] | min }} {{ [3, 1, 2] | max }} {{ ['b', 'A'] | min }} {{ ['b', 'A'] | max }} [{{ [] | max }}] {{ (rows | max(attribute='score')).id }} {{ (rows | min(attribute='score')).id }} {{ 'hello' | max }} {{ ['a', 'B'] | min(case_sensitive=true) }}",
        '1 3 A b [] 4 3 o B',
      ],
      ["{{ ['a', 'A'] | min }}{{ ['a', 'A'] | max }}{{ ['A', 'a'] | max }}", 'aaA'],
    ],
  ],
  [
    'cuts texts',
    [
      [
        "{{ 'foo bar baz qux' | truncate(9) }}|{{ 'foo bar baz qux' | truncate(9, true) }}|{{ 'foo bar baz qux' | truncate(11) }}|{{ 'foo bar baz qux' | truncate(11, false, '...', 0) }}|{{ 'foobarbazquxquux' | truncate(9) }}|{{ 'a b' | truncate(length=3, leeway=0, end='') }}",
        'foo...|foo ba...|foo bar baz qux|foo bar...|foobar...|a b',
      ],
      [
        "{{ 'aaa bbb ccc' | truncate(6, leeway=5) }}|{{ 'aaa bbb ccc' | truncate(6, leeway=4) }}|{{ 'abcd' | truncate(3, true, 'xyz', 0) }}|{{ '😀b😀d' | truncate(3, true, '😀', 0) }}|{{ ('a' * 260) | truncate | length }}|{{ ('a' * 261) | truncate | length }}|{{ 'ab cdef' | truncate(4, end='', leeway=0) }}",
        'aaa bbb ccc|aaa...|xyz|😀b😀|260|255|ab',
      ],
    ],
  ],
  [
    'wraps texts',
    [
      [
        "{{ 'The quick brown fox jumps over the well-known lazy dog and supercalifragilistic words -- yes' | wordwrap(12) }}",
        'The quick\nbrown fox\njumps over\nthe well-\nknown lazy\ndog and supe\nrcalifragili\nstic words\n-- yes',
      ],
      [
        "{{ 'The quick brown-fox jumps\\n\\nover supercalifragilistic   words' | wordwrap(10, false) }}",
        'The quick\nbrown-fox\njumps\n\nover\nsupercalifragilistic\nwords',
      ],
      [
        "{{ 'The quick brown-fox jumps over supercalifragilistic' | wordwrap(10, true, '|', false) }}",
        'The quick|brown-fox|jumps over|supercalif|ragilistic',
      ],
      [
        "{{ 'aa-bb-cc-dd-ee foo--bar -x --y 3-4 don\\'t a,b.c?d!' | wordwrap(5) }}",
        "aa-\nbb-\ncc-\ndd-ee\nfoo--\nbar\n-x\n--y\n3-4\ndon't\na,b.c\n?d!",
      ],
      ["{{ '   leading and trailing   ' | wordwrap(9, wrapstring='|') }}", 'leading|and|trailing'],
      [
        "{{ ('a' * 80) | wordwrap }}",
        'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\na',
      ],
      [
        "{{ ('-' * 7) | wordwrap(5) }}|{{ ('😀' * 4) | wordwrap(3) }}|{{ '😀😀 😀' | wordwrap(4) }}|{{ '   a' | wordwrap(3) }}|{{ 'a      b' | wordwrap(3) }}|{{ '     ' | wordwrap(3) }}|{{ 'a abcdef gh' | wordwrap(3, false) }}|{{ 'a-bcdef' | wordwrap(4, true, '/', false) }}|{{ '12-345678' | wordwrap(4, true, '/') }}",
        '-----\n--|😀😀😀\n😀|😀😀 😀|a|a\nb||a\nabcdef\ngh|a-bc/def|12-/3456/78',
      ],
    ],
  ],
  [
    'counts words and characters',
    [
      [
        "{{ 'a b  c-d é_f' | wordcount }} {{ '' | wordcount }} {{ 'aé😀' | length }} {{ [1] | count }} {{ {'a': 1} | length }}",
        '5 0 3 1 1',
      ],
    ],
  ],
  [
    'escapes for HTML, and takes HTML away',
    [
      [
        "{{ '<a href=\"x\">T & \\'q\\'</a>' | e }} {{ '<' | escape }}{{ '<' | forceescape }} {{ 1 | e }} {{ '<b>  hi </b>\\n <!-- c --> &lt;x&gt; &amp; &#39; &#x41;' | striptags }}",
        "&lt;a href=&#34;x&#34;&gt;T &amp; &#39;q&#39;&lt;/a&gt; &lt;&lt; 1 hi <x> & ' A",
      ],
      [
        "{{ 'a&quot;b&apos;c&nbsp;d&foo;' | striptags }} {{ '&#1114112;&#xd800;&#0;&#x1F600;' | striptags }} {{ 'a <b c' | striptags }} {{ 'x > y' | striptags }} {{ '<!-- <b> --> c' | striptags }} {{ ' a  ' | striptags }}",
        'a"b\'c d&foo; ���😀 a <b c x > y c a',
      ],
    ],
  ],
  [
    'encodes for URLs',
    [
      [
        "{{ 'a b/c?d=é&f!*()\\'~-_.' | urlencode }} {{ {'a b': 'c d/', 'e': 1} | urlencode }} {{ [['x', '1 2'], ['y', '&']] | urlencode }}",
        'a%20b/c%3Fd%3D%C3%A9%26f%21%2A%28%29%27~-_. a+b=c+d%2F&e=1 x=1+2&y=%26',
      ],
    ],
  ],
  [
    'centers',
    [
      [
        "[{{ 'ab' | center(7) }}] [{{ 'abc' | center(6) }}] [{{ 'abc' | center(2) }}] [{{ 'abc' | center(8) }}] {{ 'x' | center | length }}",
        '[   ab  ] [ abc  ] [abc] [  abc   ] 80',
      ],
      ["[{{ '😀' | center(4) }}] [{{ 'a' | center(-1) }}]", '[ 😀  ] [a]'],
    ],
  ],
  [
    'indents',
    [
      [
        "{{ 'a\\nb\\n\\nc' | indent }}|{{ 'a\\nb\\n\\nc' | indent(2, true) }}|{{ 'a\\nb\\n\\nc' | indent(2, blank=true) }}|{{ 'a\\nb\\n' | indent('> ', true, true) }}|{{ '' | indent(2, true) }}",
        'a\n    b\n\n    c|  a\n  b\n\n  c|a\n  b\n  \n  c|> a\n> b\n> |  ',
      ],
      [
        "{{ 'a\\nb' | indent(-1) }}|{{ 'a\\r\\nb' | indent(1) }}|{{ 'a\\x85b\\u2028c' | indent(1) }}|{{ 'a\\n' | indent(2) }}",
        'a\nb|a\n b|a\n b\n c|a\n',
      ],
    ],
  ],
  [
    'replaces',
    [
      [
        "{{ 'aXbX' | replace('X', '-', 1) }} {{ 'ab' | replace('', '-') }} {{ 'ab' | replace('', '-', 2) }} {{ 'aaa' | replace('a', 'b', count=2) }} {{ 121 | replace(1, 3) }}",
        'a-bX -a-b- -a-b bba 323',
      ],
      [
        "{{ 'a😀' | replace('', '-') }} {{ 'ab' | replace('', '-', 9) }} {{ 'aa' | replace('a', 'b', 0) }}",
        '-a-😀- -a-b- aa',
      ],
    ],
  ],
  [
    'writes sizes of files',
    [
      [
        "{{ 1 | filesizeformat }} {{ 999 | filesizeformat }} {{ 1000 | filesizeformat }} {{ 123456789 | filesizeformat }} {{ 123456789 | filesizeformat(true) }} {{ '1500' | filesizeformat }} {{ 1024 | filesizeformat(binary=true) }}",
        '1 Byte 999 Bytes 1.0 kB 123.5 MB 117.7 MiB 1.5 kB 1.0 KiB',
      ],
      [
        '{{ 1.5 | filesizeformat }} {{ (2 * 10.0 ** 24) | filesizeformat }} {{ (10.0 ** 27) | filesizeformat }} {{ 1023 | filesizeformat(true) }} {{ 2048 | filesizeformat(true) }}',
        '1 Bytes 2.0 YB 1000.0 YB 1023 Bytes 2.0 KiB',
      ],
    ],
  ],
  [
    'writes JSON with and without indentation',
    [
      ["{{ {'a': [1, {}], 'b': []} | tojson(2) }}", '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": []\n}'],
      [
        "{{ {'a': [1, 'é', true, none, 1.5, 2.0], 'b': {'c': 1}} | tojson }} {{ [1, [2]] | tojson(indent=1) }} {{ [] | tojson(2) }}",
        '{"a": [1, "é", true, null, 1.5, 2.0], "b": {"c": 1}} [\n 1,\n [\n  2\n ]\n] []',
      ],
    ],
  ],
  [
    'takes texts and objects for lists of what is in them',
    [
      [
        "{{ 'abc' | first }}{{ 'abc' | last }} {{ 'abc' | list | join('-') }} {{ 'abc' | reverse }} {{ 'cab' | sort | join }} {{ {'x': 1} | first }} {{ {'x': 1, 'y': 2} | list | join(',') }} {{ [1, 2] | reverse | join }} {{ 'abc' | join('-') }} {{ 'aé😀' | last }}",
        'ac a-b-c cba abc x x,y 21 a-b-c 😀',
      ],
      [
        "{{ 'a😀b' | reverse }} {% set xs = [1, 2] %}{{ xs | reverse | join }}{{ xs | join }} {{ 'a😀' | list | length }}",
        'b😀a 2112 2',
      ],
    ],
  ],
  [
    'takes numbers for texts',
    [
      [
        '{{ 5 | upper }} {{ 5 | trim }} {{ 1.0 | string }} {{ 12 | title }} {{ 1.5 | lower }} [{{ 12 | center(4) }}] {{ -3 | abs }} {{ -1.5 | abs }}',
        '5 5 1.0 12 1.5 [ 12 ] 3 1.5',
      ],
    ],
  ],
  [
    'tests with an argument, in parentheses or not',
    [
      [
        "{{ 'a' if two is defined else 'b' }}{{ 'c' if two is defined and two is even }}{{ 'd' if two is not none or x }}",
        'acd',
      ],
      ['{{ 1 is in [2 is in [2]] }} {{ 1 is in [1 is in names] }}', 'true false'],
      ["{{ docs[0].is in ['fine'] }} {{ names is sameas(names | list) }}", 'true false'],
      [
        "{{ 4 is divisibleby(2) }} {{ 4 is divisibleby 3 }} {{ 'a' is in(names) }} {{ 'z' is in names }} {{ 'z' is not in names }} {{ 1 is equalto 1 }} {{ 1 is eq(2) }} {{ none is sameas none }} {{ 1 is sameas true }}",
        'true false true false true true false true false',
      ],
      [
        '{{ 3 is gt 2 }} {{ 3 is ge(3) }} {{ 3 is lt 2 }} {{ 3 is le(2) }} {{ 3 is ne 2 }} {{ 3 is not eq 3 }} {{ 3 is greaterthan 1 }}',
        'true true false false true false true',
      ],
      [
        "{{ names[0] is eq names[0] }} {{ 3 is eq 3 and 2 is eq 2 }} {{ [1 is in [1], 2] | first }} {{ two is in [1, 2] and two is not in [3] }} {% for i in [1, 2, 3] if i is not divisibleby 2 %}{{ i }}{% endfor %} {{ docs[0].is }} {{ 'b' is in {'b': [1]}.keys() }}",
        'true true true true 13 fine true',
      ],
      [
        "{{ 'a' is eq 'a' }} {{ [1] is eq [1] }} {{ {'a': 1} is eq {'a': 1} }} {{ 'a' is eq names[0] | upper }} {{ 'b' is eq docs[0].meta.url.replace('a', 'b') }} {{ 3 is in {3: 1} }} {{ -7 is divisibleby 7 }}",
        'true true true TRUE true true true',
      ],
      [
        "{{ 3 is lessthan 4 }} {{ [3] | select('<', 3) | join }}{{ [3] | select('<=', 3) | join }}{{ [3] | select('!=', 3) | join }}{{ [3] | select('==', 3) | join }} {{ not 1 is eq 2 }} {{ 1 is not none }} {{ {'is': 1}.is }}",
        'true 33 true true 1',
      ],
      [
        "{{ names is sameas names }} {{ [] is sameas [] }} {{ {} is sameas {} }} {{ docs[0] is sameas docs[0] }} {{ 'a' is sameas 'a' }} {{ 1 is sameas 1.0 }}",
        'true false false true true false',
      ],
    ],
  ],
  [
    'tests',
    [
      [
        "{{ 'x' is defined }} {{ missing is undefined }} {{ 1 is number }} {{ 1.0 is float }} {{ 1.0 is integer }} {{ true is integer }} {{ true is boolean }} {{ 'a' is string }} {{ {} is mapping }} {{ [] is sequence }} {{ 'a' is iterable }} {{ 1 is iterable }}",
        'true true true true false false true true true true true false',
      ],
      [
        "{{ none is none }} {{ true is true }} {{ 1 is true }} {{ false is false }} {{ 'abc' is lower }} {{ 'ABC' is upper }} {{ '12' is lower }} {{ 3 is odd }} {{ -3 is odd }} {{ 2 is even }}",
        'true true false true true true false true true true',
      ],
      [
        "{{ range is callable }} {{ 1 is callable }} {{ missing is iterable }} {{ {} is iterable }} {{ none is iterable }} {{ 1 is boolean }} {{ -4 is even }} {{ -3 is even }} {{ 'aB' is lower }} {{ 'A1' is upper }}",
        'true false true true false false true false false true',
      ],
      [
        "{% if [] %}a{% endif %}{% if {} %}b{% endif %}{% if [0] %}c{% endif %}{% if namespace() %}d{% endif %}{% if 0.0 %}e{% endif %}{{ [] or {} or 'f' }}",
        'cdf',
      ],
    ],
  ],
  [
    'filters the text of a block',
    [
      [
        "{% filter truncate(5, true, '', 0) %}hello world{% endfilter %} {% filter replace('a', 'b') %}a{{ names | join }}{% endfilter %}",
        'hello bbb',
      ],
    ],
  ],
  [
    'sets a name to the filtered text of a block',
    [
      ['{% set x | upper %} a{{ two }} {% endset %}[{{ x }}]', '[ A2 ]'],
      ["{% set x | replace('a', 'b') | trim | default(y) %} a {% endset %}{% set y = 1 %}[{{ x }}]", '[b]'],
      ['{% set n = namespace() %}{% set n.x | upper %}a{% endset %}{{ n.x }}', 'A'],
      ['{% for i in [1, 2] %}{% set x | upper %}a{% break %}{% endset %}{% endfor %}[{{ x }}]', '[]'],
      ["{% set x | replace('a', 'b', count=1) %}aa{% endset %}{{ x }}", 'ba'],
    ],
  ],
  [
    'reads numbers with underscores',
    [
      ["{{ 1_000 + 1 }} {{ 1_0.2_5 }} {{ -1_0 }} {{ 'abc'[:1_0] }}", '1001 10.25 -10 abc'],
      [
        "{{ '1_0' }} {{ \"1_0'\" }} {{ '\\'1_0' }} 1_0 {# 1_0 #}{% raw %}1_0{% endraw %}",
        "1_0 1_0' '1_0 1_0 1_0",
      ],
      ['{% set a1_0 = 1 %}{% set a = {"b1_0": 2} %}{{ a1_0 }}{{ a.b1_0 }}', '12'],
    ],
  ],
  [
    'escapes once what is escaped or safe',
    [
      [
        "{{ '<' | e | escape }} {{ '<' | safe | e }} {{ '<' | e | safe | e }} {{ '<' | e | forceescape }}",
        '&lt; < &lt; &amp;lt;',
      ],
      ["{% set x = '<' %}{% set y = x | safe %}{{ x | e }}{{ y | e }}", '&lt;<'],
      ["{{ ['<', '>'] | map('e') | map('e') | join }} {{ 1 | safe }}", '&lt;&gt; 1'],
      // Unlike Jinja, which takes what is made of an escaped text for escaped, too.
      ["{{ '<' | e | upper | e }} {{ ('<' | e) + '<' }}", '&amp;LT; &lt;<'],
    ],
  ],
  [
    'keeps floats apart from whole numbers',
    [
      [
        "{{ 1.0 }} {{ 1.5 + 1.5 }} {{ 1 == 1.0 }} {{ 3 / 3 }} {{ 10 // 3.0 }} {{ [1.0, 2] | join(',') }} {{ 0.1 + 0.2 }}",
        '1.0 3.0 true 1.0 3.0 1.0,2 0.30000000000000004',
      ],
    ],
  ],
  [
    'drops the blanks beside a minus sign, of which a short comment has one',
    [
      ['a {#-#} b{#-#}', 'a b'],
      ['a {#--#} b {#- -#} c', 'abc'],
    ],
  ],
  [
    'reads strings as they are',
    [
      [
        "{{ 'a {% generation %} b' }}{{ \"{%- endgeneration -%}\" }}{{ '\\\\{%' }}{{ '{{ }}' | length }}{% set x = '{%generation%}' %}{{ x }}",
        'a {% generation %} b{%- endgeneration -%}\\{%5{%generation%}',
      ],
    ],
  ],
  [
    'takes arguments out of lists and objects',
    [
      [
        "{{ 'abc' | replace(*['a', 'b']) }} {{ 'abc' | replace(**{'old': 'a', 'new': 'x'}) }} {{ 'a,b'.split(*[',']) | join }} {{ 4 is divisibleby(*[2]) }}",
        'bbc xbc ab true',
      ],
    ],
  ],
  [
    'counts up and down',
    [
      [
        '{{ range(0) | join }} {{ range(3) | join }} {{ range(5, 1) | join }} {{ range(1, 6, 2) | join }} {{ range(1, 5, 2) | join }} {{ range(5, 1, -1) | join }} {{ range(0, 3) | join }} {{ range(100000) | length }}',
        ' 012  135 13 5432 012 100000',
      ],
    ],
  ],
  [
    'knows in each turn of a loop where it is',
    [
      ["{% for x in [1, true, 1.0, '1'] %}{{ loop.changed(x) }} {% endfor %}", 'true false false true '],
      [
        "{% for x in 'abc' %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.length }}{{ loop.first }}{{ loop.last }} {% endfor %}",
        '10323truefalse 21213falsefalse 32103falsetrue ',
      ],
      [
        '{% for x in [1, 2] %}{% if x == 1 %}{{ loop.index }}{% endif %}{% for y in [1] %}{{ loop.length }}{% endfor %}{{ loop.index }} {% endfor %}',
        '111 12 ',
      ],
      ["{% for x in [[1], [1], [1.0], ['1']] %}{{ loop.changed(x) }} {% endfor %}", 'true false false true '],
      ['{% for x in [] %}{% else %}{% set q = 1 %}{{ q }}{% endfor %}[{{ q }}]', '1[]'],
    ],
  ],
  [
    'macros take what they are given',
    [
      ['{% macro m() %}a{% endmacro %}{% set f = m %}{{ f() }}', 'a'],
      [
        "{% macro m(a, b='x') %}{{ a }}{{ b }}{{ varargs | join }}{{ kwargs.k }} {% endmacro %}{{ m(1, 2, 3, k=4) }}{{ m() }}{{ m(b=1) }}",
        '1234 x 1 ',
      ],
      [
        '{% macro m() %}{{ caller(1) }}{{ caller(1, 2) }}{% endmacro %}{% call(x, y=3) m() %}{{ x }}{{ y }}{% endcall %}',
        '1312',
      ],
      [
        '{% macro m() %}{{ caller is defined }}{% endmacro %}{% set caller = 1 %}{{ m() }}{% call m() %}{% endcall %}',
        'falsetrue',
      ],
      [
        '{% macro o() %}{% macro i() %}{{ caller() if caller }}.{% endmacro %}{{ i() }}{{ caller() }}{% endmacro %}{% call o() %}b{% endcall %}',
        '.b',
      ],
      [
        '{% macro m() %}{{ caller() if caller else 1 }}{% endmacro %}{% call m() %}{{ m() }}{% endcall %}',
        '1',
      ],
      [
        '{% macro g() %}G{% endmacro %}{% macro m() %}{{ varargs[0]() }}{% endmacro %}{{ (g if true else 1)() }}{{ (g if true)() }}{{ m(g) }}',
        'GGG',
      ],
      [
        '{% set x = 1 %}{% macro m() %}{{ x }}{% set x = 5 %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}{{ x }}',
        '252',
      ],
      ['{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}', '3210'],
      [
        '{% macro m(a, b=a) %}{{ a }}{{ b }}{{ kwargs.a }}{% endmacro %}{{ m(1, a=2) }}{{ m(b=1, a=2) }}',
        '11221',
      ],
      ['{% macro f(g=h) %}{{ g() }}{% endmacro %}{% macro h() %}H{% endmacro %}{{ f() }}', 'H'],
      [
        "{% macro m() %}m{% endmacro %}{% set ns = namespace([['a', 1]], f=m) %}{{ ns.a }}{{ ns.f is defined }}{{ 'f' if ns.f }}",
        '1truef',
      ],
      ["{% set namespace = 'n' %}{% macro m() %}{{ namespace }}{% endmacro %}{{ m() }}", 'n'],
    ],
  ],
]

for (const [title, rows] of families) {
  test(title, (t) => {
    for (const [template, output] of rows) t.is(rendered(template), output, template)
  })
}

// ── edges

test('writes JSON as it is told', (t) => {
  for (const [template, output] of [
    ["{{ 'é😀\\x7f~' | tojson(ensure_ascii=true) }}", '"\\u00e9\\ud83d\\ude00\\u007f~"'],
    ["{{ {'b': 1, 'a': {'d': 1, 'c': 2}} | tojson(sort_keys=true) }}", '{"a": {"c": 2, "d": 1}, "b": 1}'],
    ["{{ {'b': [1], 'a': 2} | tojson(indent='--') }}", '{\n--"b": [\n----1\n--],\n--"a": 2\n}'],
    ["{{ {'b': [1, 2], 'a': 3} | tojson(separators=(',', ':')) }}", '{"b":[1,2],"a":3}'],
    ["{{ [1, 2] | tojson(1, separators=[' ,', ':']) }}", '[\n 1 ,\n 2\n]'],
  ] as const) {
    t.is(rendered(template), output, template)
  }
})

test('a number that is not finite is null as JSON, and no whole number', (t) => {
  const values = { x: Number.POSITIVE_INFINITY, y: Number.NaN }
  t.is(
    rendered('{{ x | tojson }} {{ [y] | tojson }} {{ x | int(7) }} {{ y | int(8) }}', values),
    'null [null] 7 8',
  )
  t.is(rendered("{{ '1e400' | float }} {{ '-1e400' | float(2) }}"), '0.0 2')
})

test('what is missing or null is nothing for every filter of texts and lists', (t) => {
  for (const filter of [
    'string',
    'upper',
    'title',
    'trim',
    'truncate',
    'wordwrap',
    'escape',
    'striptags',
    'urlencode',
    "replace('a', 'b')",
    'list | join',
    "map('upper') | join",
    "selectattr('a') | join",
    'sort | join',
    'unique | join',
    'batch(2) | join',
    "groupby('a') | join",
    'first',
    'max',
    'reverse | join',
    'items | join',
  ]) {
    t.is(rendered(`[{{ missing | ${filter} }}]`), '[]', filter)
  }
  t.is(rendered('[{{ none | upper }}{{ none | trim }}]{{ missing | sum }}{{ missing | int }}'), '[]00')
})

test('a method that is not called is nothing, and stays so when it is given a name', (t) => {
  t.is(rendered("[{{ 'a'.strip }}{{ docs[0].items }}]{{ 'yes' if docs[0].items else 'no' }}"), '[]no')
  const error = t.throws(() => rendered("{% set f = 'a'.strip %}{{ f() }}"), { instanceOf: InvalidInput })
  t.like(error, { path: 'f', expected: 'a function', found: 'undefined' })
})

test('a method is the same by its name in brackets', (t) => {
  t.is(rendered("{{ '-a-'['strip']('-') }}{% set name = 'upper' %}{{ 'a'[name]() }}"), 'aA')
})

test('a macro in a namespace can be called', (t) => {
  t.is(
    rendered('{% macro m(x) %}<{{ x }}>{% endmacro %}{% set ns = namespace(f=m) %}{{ ns.f(1) }}{{ ns.f }}'),
    '<1>',
  )
})

test('reaches no prototype, constructor or function by attribute, filter, test or method', (t) => {
  const values = { o: JSON.parse('{"__proto__":{"a":1}}'), s: 'text', xs: [[]] }
  t.is(rendered("{{ [o] | map(attribute='__proto__.a') | join }}", values), '1', 'an own field of that name')
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty', '__class__']) {
    t.is(
      rendered(
        `[{{ [{}, 'a', 1] | map(attribute='${name}') | join }}{{ xs | map(attribute='${name}') | join }}]`,
        values,
      ),
      '[]',
    )
    for (const called of [`s.${name}`, `o.${name}`, `xs.${name}`]) {
      const error = t.throws(() => rendered(`{{ ${called}() }}`, values), { instanceOf: InvalidInput })
      t.like(error, { path: called, found: `unknown method ${name}` })
    }
    for (const [filter, kind] of [
      ['map', 'filter'],
      ['select', 'test'],
    ] as const) {
      t.like(
        t.throws(() => compileTemplate('test', 'template', `{{ xs | ${filter}('${name}') }}`)),
        { path: 'template:1:1', found: `unknown ${kind} ${name}` },
      )
      t.throws(() => rendered(`{{ xs | ${filter}(name) | list }}`, { ...values, name }), {
        instanceOf: InvalidInput,
      })
    }
  }
})

test('shows the source of no function that a macro was given', (t) => {
  const template =
    '{% macro m() %}{{ varargs | join }}{{ varargs | first }}{{ varargs | map("string") | join }}{% endmacro %}[{{ m(range) }}]'
  t.is(rendered(template), '[]')
  const error = t.throws(
    () => rendered('{% macro m() %}{{ varargs | tojson }}{% endmacro %}{{ m(range) }}'),
    { instanceOf: InvalidInput },
  )
  t.is(error?.found, 'a function')
})

const huge: ReadonlyArray<readonly [template: string, found: string]> = [
  ["{{ 'x' | center(10 ** 9) }}", 'more than 10000000 characters'],
  ["{{ 'x' * n }}", 'more than 10000000 characters'],
  [
    "{% set n = namespace(x='aaaaaaaaaa') %}{% for i in range(23) %}{% set n.x %}{{ n.x }}{{ n.x }}{% endset %}{% endfor %}",
    'more than 10000000 characters',
  ],
  [
    "{% macro m(x) %}{{ x }}{{ x }}{% endmacro %}{% set n = namespace(x='aaaaaaaaaa') %}{% for i in range(23) %}{% set n.x = m(n.x) %}{% endfor %}",
    'more than 10000000 characters',
  ],
  [
    '{% set n = namespace(x=[1]) %}{% for i in range(30) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}',
    'more than 10000000 characters',
  ],
  ["{{ ('\\x00' * 5000000) | tojson }}", 'more than 10000000 characters'],
  ["{{ 'x' * 10000001 }}", 'more than 10000000 characters'],
  ['{{ [1] * n }}', 'more than 100000 items'],
  ['{{ [1] * 100001 }}', 'more than 100000 items'],
  ['{{ [1] * 100000 + [1] }}', 'more than 100000 items'],
  ["{{ [1] | batch(n, 'x') }}", 'more than 100000 items'],
  ['{{ [1] | batch(0) }}', 'a number that is not positive'],
  ['{{ [1] | slice(n) }}', 'more than 100000 items'],
  ['{{ [1] | slice(0) }}', 'a number that is not positive'],
  ["{{ 'a' | wordwrap(0) }}", 'a width that is not positive'],
  ["{{ 'a' | indent(n) }}", 'more than 10000000 characters'],
  ["{{ ('\\n' * 100000) | indent(10000, blank=true) }}", 'more than 10000000 characters'],
  ["{{ ('a\\n' * 100000) | indent(100000) }}", 'more than 10000000 characters'],
  ["{{ long | replace('x', long) }}", 'more than 10000000 characters'],
  ['{{ range(100000) | join(long) }}', 'more than 10000000 characters'],
  ['{{ ([long] * 101) | join }}', 'more than 10000000 characters'],
  ['{{ [1] | tojson(n) }}', 'more than 10000000 characters'],
  ['{{ ([long] * 101) | tojson }}', 'more than 10000000 characters'],
  ["{{ '%1000000000d' | format(1) }}", 'more than 10000000 characters'],
  ["{{ '%10000001d' | format(1) }}", 'more than 10000000 characters'],
  ["{{ '%.1000000000f' | format(1) }}", 'more than 100 digits'],
  ["{{ '%.101f' | format(1) }}", 'more than 100 digits'],
  ["{{ '%.1000000000d' | format(1) }}", 'more than 10000000 characters'],
  ['{{ 1 | round(n) }}', 'a precision beyond 300 digits'],
  ['{{ 1 | round(-301) }}', 'a precision beyond 300 digits'],
  ["{{ ('1' * 100000) | int }}", 'a number too large to be exact'],
  ["{{ '9007199254740993' | int }}", 'a number too large to be exact'],
  ["{{ '%d' % (10.0 ** 16) }}", 'a number too large to be exact'],
  ['{{ range(100001) }}', 'range() of more than 100000 numbers'],
  [
    "{% set ns = namespace(s='x' * 1000) %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
    'more than 10000000 characters',
  ],
  [
    "{% set ns = namespace(s='x' * 1000) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
    'more than 10000000 characters',
  ],
  [
    '{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}',
    'more than 100000 items',
  ],
]

test('what a number makes too large is refused before it is made', (t) => {
  for (const [template, found] of huge) {
    const error = t.throws(
      () => rendered(template, { n: 1e9, long: 'x'.repeat(100_000) }),
      { instanceOf: InvalidInput },
      template,
    )
    t.is(error?.found, found, template)
  }
})

test('what is as large as it may be is made', (t) => {
  t.is(
    rendered("{{ 'a' if 'x' * 10000000 }}{{ ([1] * 100000) | length }}{{ ('%.100f' % 1) | length }}"),
    'a100000102',
  )
})

// ── errors

const unfit: ReadonlyArray<readonly [template: string, expected: string, found: string]> = [
  ['{{ 1 / 0 }}', 'values that the operator / accepts', 'a division by zero'],
  ['{{ 1 // 0 }}', 'values that the operator // accepts', 'a division by zero'],
  ["{{ 'a' + 42 }}", 'values that the operator + accepts', 'a string and a number'],
  ['{{ none < 1 }}', 'values that the operator < accepts', 'null and a number, which cannot be ordered'],
  ['{{ missing + 1 }}', 'values that the operator + accepts', 'undefined and a number'],
  ["{{ 1 in 'a' }}", 'values that the operator in accepts', 'a number looked for in a string'],
  [
    "{{ [1, 'a'] | sort }}",
    'values that the filter sort accepts',
    'a string and a number, which cannot be ordered',
  ],
  ["{{ [1, 'a'] | sum }}", 'values that the filter sum accepts', 'a number and a string'],
  ['{{ 5 | first }}', 'values that the filter first accepts', 'a number where a list is needed'],
  ["{{ 'x' | abs }}", 'values that the filter abs accepts', 'a string where a number is needed'],
  [
    "{{ names | join(',') | batch(1.5) }}",
    'values that the filter batch accepts',
    'a fraction where a whole number is needed',
  ],
  [
    "{{ 'abcdef' | truncate(2) }}",
    'values that the filter truncate accepts',
    'a length shorter than the text added at the end',
  ],
  ["{{ '%s %s' | format(1) }}", 'values that the filter format accepts', 'a directive without a value'],
  ["{{ '%s' | format(1, 2) }}", 'values that the filter format accepts', 'a value without a directive'],
  [
    "{{ ('%' ~ '0' * 1000000 ~ 'q') | format(1) }}",
    'values that the filter format accepts',
    'a directive other than %s, %d, %i, %u, %f, %x, %o and %%',
  ],
  [
    "{{ '%q' | format(1) }}",
    'values that the filter format accepts',
    'a directive other than %s, %d, %i, %u, %f, %x, %o and %%',
  ],
  [
    "{{ docs | selectattr('nope.url') | list }}",
    'values that the filter selectattr accepts',
    'attribute "url" of a missing value',
  ],
  ['{{ names[::0] }}', 'values that a slice accepts', 'a step of 0'],
  ['{{ docs[0][1:] }}', 'values that a slice accepts', 'an object where a list is needed'],
  ["{{ names['a':] }}", 'values that a slice accepts', 'a string where a number is needed'],
  ["{{ 'a' is odd }}", 'values that the test odd accepts', 'a string where a number is needed'],
  ['{{ 5 is divisibleby(0) }}', 'values that the test divisibleby accepts', 'a division by zero'],
  ["{{ 'a'.split('') }}", 'values that the method split accepts', 'an empty separator'],
  ["{{ 'a'.strip(1) }}", 'values that the method strip accepts', 'a number where a string is needed'],
  ["{{ 'a'.upper(1) }}", 'values that the method upper accepts', 'a call with arguments'],
  [
    "{{ docs | selectattr(attribute='a') }}",
    'values that the filter selectattr accepts',
    'a call without an attribute',
  ],
  ['{{ [1] | select(wanted=1) }}', 'values that the filter select accepts', 'a call with arguments'],
  ['{{ [1] | map(attr=1) }}', 'values that the filter map accepts', 'a call with an unknown argument attr'],
  ['{{ [1] | map(names[0]) }}', 'values that the filter map accepts', 'an unknown filter'],
  ['{{ [1] | select(names[0]) }}', 'values that the filter select accepts', 'an unknown test'],
  ["{{ 'a' | upper(*[1]) }}", 'values that the filter upper accepts', 'a call with arguments'],
  ['{{ 1 is odd(*[1]) }}', 'values that the test odd accepts', 'a call with arguments'],
  ["{{ 'a' | upper(**1) }}", 'values that it can be rendered with', 'a number as keyword arguments'],
  [
    "{{ 'a' | upper(**namespace()) }}{{ namespace() | list }}",
    'values that the filter list accepts',
    'a namespace where a list is needed',
  ],
  [
    "{{ 'a' | replace(old='a', **{'old': 'b', 'new': 'c'}) }}",
    'values that it can be rendered with',
    'a call with old given twice',
  ],
  [
    '{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}',
    'values that it can be rendered with',
    'a call of m with more than 1 argument',
  ],
  [
    '{% macro m(a) %}{% set kwargs = {} %}{{ kwargs }}{% endmacro %}{{ m(b=1) }}',
    'values that it can be rendered with',
    'a call of m with an unknown argument b',
  ],
  [
    '{% macro m(a) %}{{ varargs }}{% endmacro %}{{ m(1, a=2) }}',
    'values that it can be rendered with',
    'a call of m with a given twice',
  ],
  [
    '{% macro w() %}{{ caller(1, 2) }}{% endmacro %}{% call(x) w() %}{% endcall %}',
    'values that it can be rendered with',
    'a call of caller with more than 1 argument',
  ],
  [
    '{% macro m() %}a{% endmacro %}{% call m() %}b{% endcall %}',
    'values that it can be rendered with',
    'a call of m with a body that it does not use',
  ],
  [
    '{% macro m() %}{{ kwargs }}{% endmacro %}{{ m(f=range) }}',
    'values that it can be rendered with',
    'a function inside a list or an object',
  ],
  [
    '{% set names.a = 1 %}',
    'values that it can be rendered with',
    'an attribute set on a list, which is not a namespace',
  ],
  [
    '{{ namespace(1, 2) }}',
    'values that it can be rendered with',
    'namespace() with more than one unnamed argument',
  ],
  ...['1', "'ab'", 'missing'].map(
    (source) =>
      [
        `{{ namespace(${source}) }}`,
        'values that it can be rendered with',
        'namespace() of something other than an object or a list of pairs',
      ] as const,
  ),
  ...['[1, 2]', "['a']", "['a', 1, 2]"].map(
    (source) =>
      [
        `{{ namespace([${source}]) }}`,
        'values that it can be rendered with',
        'namespace() of something other than pairs of a name and a value',
      ] as const,
  ),
  ["{{ -'a' }}", 'values that the operator - accepts', 'a string where a number is needed'],
  ["{{ 'a' ** 2 }}", 'values that the operator ** accepts', 'a string and a number'],
  ["{{ 2 ** 'a' }}", 'values that the operator ** accepts', 'a number and a string'],
  ['{{ 0 ** -1 }}', 'values that the operator ** accepts', 'a number that is not finite'],
  ['{{ (-8) ** 0.5 }}', 'values that the operator ** accepts', 'a number that is not finite'],
  ['{{ true | first }}', 'values that the filter first accepts', 'a boolean where a list is needed'],
  ['{{ {none: 1} }}', 'values that it can be rendered with', 'null as a key'],
  ['{{ 1 in 5 }}', 'values that the operator in accepts', 'a number looked for in a number'],
  ["{{ 'a' * 1.0 }}", 'values that the operator * accepts', 'a string and a number'],
  ['{{ [[1], 2] | sum(start=[]) }}', 'values that the filter sum accepts', 'a list and a number'],
  ["{{ ['a'] | sum(start='') }}", 'values that the filter sum accepts', 'a sum that starts with a string'],
  [
    "{{ {} | dictsort(by='x') }}",
    'values that the filter dictsort accepts',
    "a sort by something other than 'key' or 'value'",
  ],
  [
    "{{ 'abc' | truncate(2, leeway=-1, end='') }}",
    'values that the filter truncate accepts',
    'a length shorter than the text added at the end',
  ],
  ["{{ '1' | int(0, 37) }}", 'values that the filter int accepts', 'a base outside 2 to 36'],
  ["{{ '1' | int(0, 1) }}", 'values that the filter int accepts', 'a base outside 2 to 36'],
  [
    "{{ 1 | round(0, 'up') }}",
    'values that the filter round accepts',
    'a method other than common, ceil and floor',
  ],
  [
    "{{ 12345678901.0 | round(300, 'ceil') }}",
    'values that the filter round accepts',
    'a number that is not finite',
  ],
  [
    "{{ '%x' | format(1.5) }}",
    'values that the filter format accepts',
    'a fraction where a whole number is needed',
  ],
  [
    "{{ '%s' | format(1, a=2) }}",
    'values that the filter format accepts',
    'named and unnamed values together',
  ],
  ["{{ '%s %s' % [1, 2] }}", 'values that the operator % accepts', 'a directive without a value'],
  ["{{ '%(a)s' % 1 }}", 'values that the operator % accepts', 'a directive without a value'],
  ["{{ 'a' % 1 }}", 'values that the operator % accepts', 'a value without a directive'],
  [
    "{{ 'x' | filesizeformat }}",
    'values that the filter filesizeformat accepts',
    'something other than a number of bytes',
  ],
  [
    "{{ [1] | tojson(separators=[',']) }}",
    'values that the filter tojson accepts',
    'separators other than two strings',
  ],
  [
    "{{ [1] | tojson(separators=[',', ':', ';']) }}",
    'values that the filter tojson accepts',
    'separators other than two strings',
  ],
  [
    "{{ 'aa'.replace('a', 1) }}",
    'values that the method replace accepts',
    'a number where a string is needed',
  ],
  ["{{ ','.join([1]) }}", 'values that the method join accepts', 'a number where a string is needed'],
  ['{{ names[1.0:] }}', 'values that a slice accepts', 'a fraction where a whole number is needed'],
  [
    '{% for a, b in [[1, 2, 3]] %}{% endfor %}',
    'values that it can be rendered with',
    'a list of length 3 for 2 names',
  ],
  [
    "{% for a, b in ['c'] %}{% endfor %}",
    'values that it can be rendered with',
    'a string of length 1 for 2 names',
  ],
  [
    '{% for a in [1] %}{{ loop.cycle() }}{% endfor %}',
    'values that the method cycle accepts',
    'a call without arguments',
  ],
  [
    '{{ range() }}',
    'values that it can be rendered with',
    'range() with arguments other than one to three integers, the third not 0',
  ],
  [
    '{{ range(1, 2, 3, 4) }}',
    'values that it can be rendered with',
    'range() with arguments other than one to three integers, the third not 0',
  ],
  [
    '{{ range(1.5) }}',
    'values that it can be rendered with',
    'range() with arguments other than one to three integers, the third not 0',
  ],
  [
    '{{ range(1, 2, 0) }}',
    'values that it can be rendered with',
    'range() with arguments other than one to three integers, the third not 0',
  ],
]

for (const [template, expected, found] of unfit) {
  test(`fails with these values: ${template}`, (t) => {
    const error = t.throws(() => rendered(template), { instanceOf: InvalidInput })
    t.like(error, { path: 'template', expected, found })
  })
}

test('what went wrong while rendering is the cause', (t) => {
  const error = t.throws(() => rendered('{{ 1 / 0 }}'), { instanceOf: InvalidInput })
  t.true(error?.cause instanceof RangeError)
})

test('a call of what is none names it', (t) => {
  for (const [template, path, found] of [
    ['{{ names[0].bogus() }}', 'names[0].bogus', 'unknown method bogus'],
    ["{{ names['bo' ~ 'gus']() }}", 'names[…]', 'an unknown method'],
    ['{{ docs.append(1) }}', 'docs.append', 'unknown method append'],
    ['{{ docs[0].text.get(1) }}', 'docs[0].text.get', 'unknown method get'],
    ['{{ names[0:1]() }}', 'names[…]', 'a list'],
    ['{% call two() %}{% endcall %}{% macro two() %}{% endmacro %}', 'two', 'a number'],
    ['{{ two() }}{% macro two() %}{% endmacro %}', 'two', 'a number'],
  ] as const) {
    t.like(
      t.throws(() => rendered(template), { instanceOf: InvalidInput }),
      { path, found },
      template,
    )
  }
})

test('a call of a method that there is not names those that there are', (t) => {
  for (const [template, expected] of [
    ['{{ docs[0].bogus() }}', 'one of get, items, keys, values'],
    ['{{ two.bogus() }}', 'no method, as a number has none'],
    ['{% for x in names %}{{ loop.bogus() }}{% endfor %}', 'one of changed, cycle'],
  ] as const) {
    t.is(t.throws(() => rendered(template), { instanceOf: InvalidInput })?.expected, expected, template)
  }
})

const wrong: ReadonlyArray<readonly [template: string, found: string]> = [
  ["a\n{{ xs | map('bogus') }}", 'unknown filter bogus'],
  ["a\n{{ xs | map('upper', 1) }}", 'filter upper with arguments'],
  ["a\n{{ xs | select('bogus') }}", 'unknown test bogus'],
  ["a\n{{ xs | reject('bogus') }}", 'unknown test bogus'],
  ["a\n{{ xs | rejectattr('a', 'bogus') }}", 'unknown test bogus'],
  ["a\n{{ xs | selectattr('a', 'eq') }}", 'test eq without arguments'],
  ['a\n{{ xs | selectattr }}', 'filter selectattr without arguments'],
  ['a\n{{ xs | batch }}', 'filter batch without arguments'],
  ["a\n{{ x | replace('a') }}", 'filter replace without its argument new'],
  ['a\n{{ x | truncate(1, 2, 3, 4, 5) }}', 'filter truncate with more than 4 arguments'],
  ['a\n{{ x | truncate(size=1) }}', 'filter truncate with an unknown argument size'],
  ['a\n{{ x | truncate(1, length=1) }}', 'filter truncate with length given twice'],
  ['a\n{{ x is bogus(1) }}', 'unknown test bogus'],
  ['a\n{{ x is not bogus }}', 'unknown test bogus'],
  ['a\n{{ x is eq }}', 'test eq without arguments'],
  ['a\n{{ x is in(1, 2) }}', 'test in with more than 1 argument'],
  ['a\n{{ x is defined(1) }}', 'test defined with arguments'],
  ['a\n{{ x | random }}', 'unknown filter random'],
  ['a\n{{ x | upper()() }}', 'another expression'],
  ['a\n{% set x ={% generation %}', 'an unfinished tag'],
]

for (const [template, found] of wrong) {
  test(`refuses ${JSON.stringify(template)} when it is compiled`, (t) => {
    const error = t.throws(() => compileTemplate('test', 'template', template), { instanceOf: InvalidInput })
    t.like(error, { path: 'template:2:1', found })
  })
}

test('the arguments of a test are inputs of the template', (t) => {
  const { variables } = compileTemplate(
    'test',
    'template',
    '{{ a is in b }}{{ c is eq(d.e[f]) }}{{ xs | select("in", g) }}',
  )
  t.deepEqual(variables, ['a', 'b', 'c', 'd', 'f', 'g', 'xs'])
})

test('the arguments of the filters of a set are inputs of the template', (t) => {
  const { variables } = compileTemplate(
    'test',
    'template',
    '{{ x }}{% set x | replace(a, b) | default(c.d) %}{{ e }}{% endset %}{% set f.x | trim %}{% endset %}',
  )
  t.deepEqual(variables, ['a', 'b', 'c', 'e', 'f'])
})

test('a million blanks in a row are read in one pass', (t) => {
  const blanks = ' '.repeat(1_000_000)
  const { render } = compileTemplate('test', 'template', `a${blanks}{{ x }}b${blanks}{{- x -}}${blanks}c`)
  t.is(render({ x: 1 }), `a${blanks}1b1c`)
})

test('a long text that is no number is found out in one pass', (t) => {
  const x = `${'1'.repeat(500_000)}x`
  t.is(compileTemplate('test', 'template', '{{ x | float }} {{ x | int }}').render({ x }), '0.0 0')
})

// ── laws

const FILTERS = [
  'abs',
  'batch(2)',
  'capitalize',
  'center(5)',
  'count',
  'default(1)',
  'dictsort',
  'e',
  'filesizeformat',
  'first',
  'float',
  'format(1)',
  "groupby('a')",
  'indent',
  'int',
  'items',
  "join(',')",
  'last',
  'list',
  'lower',
  "map('upper')",
  "map(attribute='a')",
  'max',
  'min',
  "reject('odd')",
  "rejectattr('a')",
  "replace('a', 'b')",
  'reverse',
  'round',
  'safe',
  "select('eq', 1)",
  "selectattr('a', 'defined')",
  'slice(2)',
  'sort',
  'string',
  'striptags',
  'sum',
  'title',
  'tojson(1)',
  'trim',
  'truncate(3)',
  'unique',
  'upper',
  'urlencode',
  'wordcount',
  'wordwrap(5)',
]

testProp(
  'law: a chain of filters renders any value, or refuses it by an InvalidInput, and leaves it as it was',
  [fc.array(fc.constantFrom(...FILTERS), { minLength: 1, maxLength: 4 }), fc.jsonValue()],
  (t, filters, x) => {
    const before = structuredClone(x)
    const { render } = compileTemplate('test', 'template', `{{ x | ${filters.join(' | ')} }}`)
    try {
      t.is(typeof render({ x }), 'string')
    } catch (error) {
      t.true(error instanceof InvalidInput, String(error))
    }
    t.deepEqual(x, before)
  },
  { numRuns: 2000 },
)
