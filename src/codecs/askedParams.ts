import type { ChatParams } from './ChatParams.js'
import type { ChatRequest } from './ChatRequest.js'

/**
 * The chat parameters that a request asks for. Those inside a managed prompt (`patch`, or `override_params` with schema
 * version 1) win over those beside it.
 *
 * @param request - as it is sent
 */
export const askedParams = (request: ChatRequest): ChatParams => {
  const { prompt } = request
  if (prompt === undefined) return request
  return { ...request, ...(prompt.schema_version === 2 ? prompt.patch : prompt.override_params) }
}
