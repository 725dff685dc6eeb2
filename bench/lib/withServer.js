import { start } from './processes.js'

/**
 * Starts the server, hands it to somebody, and ends it afterwards.
 *
 * @template A
 * @param {(server: { chat: string, ingest: string, counts: () => Promise<any>, refuse: (on: boolean) => void }) => Promise<A>} use
 */
export const withServer = async (use) => {
  const child = start('lib/server.js')
  child.stderr.pipe(process.stderr)
  const answer = () => new Promise((resolve) => child.once('message', resolve))
  try {
    const addresses = await answer()
    return await use({
      ...addresses,
      counts: async () => {
        const reply = answer()
        child.send('counts')
        return (await reply).seen
      },
      refuse: (on) => child.send({ refuse: on }),
    })
  } finally {
    child.disconnect()
  }
}
