import type { Connection } from '../http/Connection.js'
import { chatGateway } from './chatGateway.js'
import type { Gateway } from './Gateway.js'

/**
 * Makes a gateway of OpenAI's API, or of any server that speaks its protocol under another `baseUrl` (Ollama, vLLM, a
 * proxy).
 *
 * It works like `respanGateway`, but the key is `apiKey` or `OPENAI_API_KEY`, and the address `baseUrl` or
 * `OPENAI_BASE_URL`, by default `https://api.openai.com/v1`; nothing is added to a path that you give. The request is sent
 * as it is, so it must not hold Respan fields.
 *
 * @throws InvalidInput for an option of the wrong shape
 */
export const openaiGateway = (connection: Connection = {}): Gateway =>
  chatGateway('openaiGateway', 'openai', connection)
