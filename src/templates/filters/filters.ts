import { named } from '../parameters.js'
import type { Filter } from '../Value.js'
import { jsonFilter } from './jsonFilter.js'
import { LIST_FILTERS } from './listFilters.js'
import { NUMBER_FILTERS } from './numberFilters.js'
import { selectionFilters } from './selectionFilters.js'
import { TEXT_FILTERS } from './textFilters.js'

/** @throws TypeError for an unknown filter, and for arguments that don't fit */
export const filterNamed = (name: string): Filter['apply'] => named(FILTERS, 'filter', name)

/**
 * Jinja's filters except `attr`, `pprint`, `random`, `urlize` and `xmlattr`: a prompt is not a web page, and the same values
 * give the same prompt. What is missing counts as empty; text filters take any value as it is rendered.
 *
 * @see https://jinja.palletsprojects.com/en/stable/templates/#list-of-builtin-filters
 */
export const FILTERS: ReadonlyMap<string, Filter> = new Map(
  Object.entries({
    ...TEXT_FILTERS,
    ...NUMBER_FILTERS,
    ...LIST_FILTERS,
    ...selectionFilters(filterNamed),
    tojson: jsonFilter,
  }),
)
