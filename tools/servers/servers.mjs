// What test.mjs runs inside its project: a pipeline's tokens as the body of a response, on each server.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { finished } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { respanGenerate, respanTrace, tokens } from 'respan-rx'
import { startLocal } from 'respan-rx/local'
import { filter, finalize, firstValueFrom, of, Subject } from 'rxjs'
import { toBody } from './toBody.mjs'

const local = await startLocal({
  faults: [
    { model: 'silent', hangAfter: 0 },
    { model: 'slow', hangAfter: 3 },
    { model: 'cut', cutAfter: 3 },
    { model: 'refused', status: 400 },
  ],
})
const { gateway, sink } = local

/** The models of the runs that end. */
const ended$ = new Subject()

const answer = (model) =>
  of('Tell me about tea.').pipe(
    respanGenerate({ model, stream: true, gateway }),
    tokens(),
    respanTrace('Answer', { sink }),
    finalize(() => ended$.next(model)),
  )

/** Before a handler answers; a test may keep it waiting. */
let admitted = Promise.resolve()

const servers = {
  Hono: () =>
    getRequestListener(
      new Hono().post('/:model', async ({ req }) => {
        await admitted
        return new Response(toBody(answer(req.param('model')), req.raw.signal))
      }).fetch,
    ),
  Fastify: async () => {
    const app = fastify()
    app.post('/:model', async ({ params }, reply) => {
      await admitted
      return reply.send(toBody(answer(params.model)))
    })
    await app.ready()
    return app.routing
  },
  Express: () =>
    express().post('/:model', async ({ params }, response) => {
      await admitted
      const run = answer(params.model).subscribe({
        next: (text) => response.write(text),
        error: (error) => response.destroy(error),
        complete: () => response.end(),
      })
      finished(response, () => run.unsubscribe())
    }),
}

// Hono prints what breaks a body.
console.error = () => undefined

const requestTo = (asked) => local.requests.findLast(({ model }) => model === asked)

/** A whole answer; Fastify gives one of status 500 for what fails before the first token. */
const read = async (answering) => {
  const response = await answering
  assert.ok(response.ok)
  return response.text()
}

/** How a request to the gateway ended. */
const outcomeOf = async (model) => {
  while (requestTo(model).outcome === 'pending') await setImmediate()
  return requestTo(model).outcome
}

/** The spans of a run that ends, as the gateway got them. */
const spansOf = async (ended) => {
  await ended
  await sink.flush()
  const { trace_unique_id: last } = local.spans().at(-1)
  return local
    .spans()
    .filter(({ trace_unique_id: id }) => id === last)
    .map(({ metadata, status_code }) => (metadata?.cancelled === 'true' ? 'cancelled' : status_code))
}

for (const [name, make] of Object.entries(servers)) {
  const server = createServer(await make())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  const ask = (model, signal) => fetch(`http://127.0.0.1:${port}/${model}`, { method: 'POST', signal })
  const endedRunOf = (asked) => firstValueFrom(ended$.pipe(filter((model) => model === asked)))

  const left = endedRunOf('slow')
  const leaving = new AbortController()
  const { body } = await ask('slow', leaving.signal)
  assert.ok((await body.getReader().read()).value.length > 0, name)

  const whole = endedRunOf('whole')
  assert.match(await read(ask('whole')), /tea[\s\S]{100}/, name)
  assert.deepEqual(await spansOf(whole), [200, 200], name)

  leaving.abort()
  assert.deepEqual(await spansOf(left), ['cancelled', 'cancelled'], name)
  assert.equal(await outcomeOf('slow'), 'aborted', name)

  const silent = endedRunOf('silent')
  const before = requestTo('silent')
  const impatient = new AbortController()
  const unanswered = ask('silent', impatient.signal)
  while (requestTo('silent') === before) await setImmediate()
  impatient.abort()
  await assert.rejects(read(unanswered), { name: 'AbortError' }, name)
  assert.deepEqual(await spansOf(silent), ['cancelled', 'cancelled'], name)
  assert.equal(await outcomeOf('silent'), 'aborted', name)

  let admit
  admitted = new Promise((resolve) => {
    admit = resolve
  })
  const late = endedRunOf('late')
  const hasty = new AbortController()
  const arrived = once(server, 'request')
  const unadmitted = ask('late', hasty.signal)
  const [, response] = await arrived
  hasty.abort()
  await Promise.all([once(response, 'close'), assert.rejects(read(unadmitted), { name: 'AbortError' }, name)])
  admit()
  assert.deepEqual(await spansOf(late), ['cancelled', 'cancelled'], name)

  for (const [model, status] of [
    ['cut', 502],
    ['refused', 400],
  ]) {
    const broken = endedRunOf(model)
    await assert.rejects(read(ask(model)), `${name}, ${model}`)
    assert.deepEqual(await spansOf(broken), [status, status], `${name}, ${model}`)
  }

  console.log(`${name}: ok`)
  server.closeAllConnections()
  server.close()
}
await local.close()
