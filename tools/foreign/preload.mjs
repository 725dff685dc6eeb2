// node --import ./preload.mjs …/start-server.js: makes @portkey-ai/gateway 1.15.2 fit for a test. It
// listens on all interfaces and has no option for that, and it edits the headers of a fetch response, which are
// immutable. Tells its parent the port.

import { Server } from 'node:net'

const { listen } = Server.prototype
Server.prototype.listen = function (...given) {
  const callback = given.find((one) => typeof one === 'function')
  return listen.call(this, { port: 0, host: '127.0.0.1' }, () => {
    callback?.(this.address())
    process.send?.(this.address().port)
  })
}

const { fetch } = globalThis
globalThis.fetch = async (...given) => {
  const { body, status, headers } = await fetch(...given)
  return new Response(body, { status, headers: new Headers(headers) })
}
