import { STATUS_CODES } from 'node:http'
import type { Fields } from '../codecs/Fields.js'
import type { Fault } from './Fault.js'
import { INVALID_KEY, type Refusal, refusal } from './Refusal.js'
import { sleep } from './sleep.js'

const BODIES: Readonly<Record<number, Fields>> = {
  400: { detail: 'Invalid request format' },
  401: { detail: INVALID_KEY },
  403: { detail: 'You do not have permission to perform this action.' },
  404: { detail: 'Not found.' },
  413: { detail: 'Request entity too large' },
  422: { detail: 'Validation error', errors: { messages: ['A fault was asked for.'] } },
  429: { detail: 'Rate limit exceeded' },
  500: { detail: 'Internal server error', error_code: 'INTERNAL_ERROR' },
}

const HTML = `<html>
<head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body>
</html>
`

const refusalOf = ({ body, html, retryAfter, status }: Fault): Refusal | undefined => {
  if (status === undefined && retryAfter === undefined && body === undefined && html !== true)
    return undefined
  const code = status ?? (html === true ? 502 : retryAfter !== undefined ? 429 : 200)
  const documented = BODIES[code] ?? { detail: STATUS_CODES[code] ?? `HTTP status ${code}` }
  const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
  if (html === true) return { status: code, body: HTML, headers: { ...headers, 'content-type': 'text/html' } }
  if (body !== undefined) return { status: code, body, headers }
  return {
    status: code,
    body: retryAfter === undefined ? documented : { ...documented, retry_after: retryAfter },
    headers,
  }
}

/** The refusal that a fault stands for, after its delay; `undefined` when it lets the request be answered. */
export const faultRefusal = async (fault: Fault, signal: AbortSignal): Promise<Refusal | undefined> =>
  (await sleep(fault.delay ?? 0, signal)) ? refusalOf(fault) : refusal(499, 'The client left')
