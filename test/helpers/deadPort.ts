import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import type { ExecutionContext } from 'ava'

/** A port of loopback at which nobody listens, and which nobody else gets meanwhile. */
export interface DeadPort {
  readonly port: number
  /** From now on one may listen there. */
  readonly release: () => Promise<void>
}

/** Takes a port by the client's end of a connection: connecting to it is refused. Released when the test ends. */
export const deadPort = async (t: ExecutionContext): Promise<DeadPort> => {
  const server = createServer((socket) => socket.on('error', () => undefined))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // What was listened on by port is an AddressInfo.
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(client, 'connect')
  const release = async (): Promise<void> => {
    if (client.closed) return
    const closed = once(client, 'close')
    client.resetAndDestroy()
    await closed
    server.close()
  }
  t.teardown(release)
  return { port: client.localPort ?? 0, release }
}
