import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { ExecutionContext } from 'ava'

/** A port of loopback at which nobody listens, and which nobody else gets meanwhile. */
export interface DeadPort {
  readonly port: number
  /** From now on one may listen there. */
  readonly release: () => Promise<void>
}

// Below what a system gives to whoever asks for any port (Linux from 32,768, others from 49,152): so that between its
// release and the listening nobody gets it who did not ask for it.
const LOWEST = 20_000
const PORTS = 10_000

/** Connects from a port of that range, whichever is free. */
const connectTo = async (port: number): Promise<Socket> => {
  const localPort = LOWEST + Math.floor(Math.random() * PORTS)
  const client = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.1', localPort })
  try {
    await once(client, 'connect')
    return client
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return connectTo(port)
    throw error
  }
}

/** Takes a port by the client's end of a connection: connecting to it is refused. Released when the test ends. */
export const deadPort = async (t: ExecutionContext): Promise<DeadPort> => {
  const server = createServer((socket) => socket.on('error', () => undefined))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // What was listened on by port is an AddressInfo.
  const client = await connectTo((server.address() as AddressInfo).port)
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
