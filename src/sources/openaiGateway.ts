import type { Connection } from '../http/Connection.js'
import { chatGateway } from './chatGateway.js'
import type { Gateway } from './Gateway.js'

/**
 * OpenAI's own API, or any server that speaks its protocol under another `baseUrl` (Ollama, vLLM, a proxy).
 *
 * As `respanGateway`, but the key is `apiKey` or `OPENAI_API_KEY`, the address `baseUrl` or `OPENAI_BASE_URL`, by
 * default `https://api.openai.com/v1`; nothing is added to a path that is given. The request is sent as it is: it must
 * hold no Respan field.
 *
 * @throws InvalidInput for an option of the wrong shape
 */
export const openaiGateway = (connection: Connection = {}): Gateway =>
  chatGateway('openaiGateway', 'openai', connection)
