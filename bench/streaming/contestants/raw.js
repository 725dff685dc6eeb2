// The floor: the bytes are read, and nothing is made of them.

import { bodyFor } from '../request.js'

export default (baseUrl, kind) => async (onFirst) => {
  const response = await fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(bodyFor(kind)),
  })
  const reader = response.body.getReader()
  let bytes = 0
  let reads = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return { bytes, reads }
    if (reads++ === 0) onFirst()
    bytes += value.length
  }
}
