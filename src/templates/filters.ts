/** Whether a filter is written with arguments, and what a missing value counts as before it. */
interface FilterForm {
  readonly arguments: 'never' | 'maybe' | 'always'
  readonly missing: 'text' | 'list' | 'object' | 'itself'
}

const form = (
  missing: FilterForm['missing'],
  args: FilterForm['arguments'],
  ...names: ReadonlyArray<string>
): ReadonlyArray<readonly [string, FilterForm]> => names.map((name) => [name, { arguments: args, missing }])

/** Jinja's filters that the engine has. */
export const FILTERS: ReadonlyMap<string, FilterForm> = new Map([
  ...form('itself', 'never', 'safe', 'abs'),
  ...form('itself', 'maybe', 'tojson'),
  ...form('itself', 'always', 'default'),
  ...form('text', 'never', 'length', 'upper', 'lower', 'title', 'capitalize', 'trim', 'string'),
  ...form('text', 'maybe', 'indent', 'int', 'float', 'join'),
  ...form('text', 'always', 'replace'),
  ...form('list', 'never', 'list', 'first', 'last', 'reverse', 'unique'),
  ...form('list', 'maybe', 'sort'),
  ...form('list', 'always', 'selectattr', 'rejectattr', 'map'),
  ...form('object', 'never', 'items'),
  ...form('object', 'maybe', 'dictsort'),
])

/** Jinja's other names for some of them. */
export const FILTER_ALIASES: ReadonlyMap<string, string> = new Map([
  ['count', 'length'],
  ['d', 'default'],
])
