import { startLocal } from 'respan-rx/local'
import { hasKey, loadEnvironment } from './environment.js'
import { keyPressed } from './keyPressed.js'

// npm run example <name>: runs an example as it stands, on the platform when RESPAN_API_KEY is set, otherwise on a local
// gateway that the environment then points to.

const NAMES = ['gateway', 'prompt', 'tracing', 'tracing-gateway', 'everything']

const name = process.argv[2] ?? ''
if (!NAMES.includes(name)) {
  console.error(`Which one? npm run example ${NAMES.join(' | ')}`)
  process.exit(2)
}

loadEnvironment()
if (!hasKey()) {
  const local = await startLocal({
    promptsDirectory: 'examples/prompts',
    unref: true,
    chunkDelay: 10,
    faults: [{ model: 'out-of-order', status: 503 }],
  })
  process.env.RESPAN_BASE_URL = local.baseUrl
  process.env.RESPAN_API_KEY = 'local'
  process.env.OPENAI_BASE_URL = local.baseUrl
  process.env.OPENAI_API_KEY = 'local'
  console.log(`No RESPAN_API_KEY: using a local gateway at ${local.baseUrl}\n`)
  const invite = (): void => {
    if (local.spans().length === 0) return
    process.off('beforeExit', invite)
    void keyPressed('The page stays open until you press a key.')
  }
  process.on('beforeExit', invite)
}
await import(`./${name}.js`)
