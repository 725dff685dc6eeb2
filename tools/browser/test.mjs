// node tools/browser/test.mjs: what becomes of a page's spans when it is left, closed, hidden or killed, in Debian's
// Chromium (CHROMIUM names another one). Without a browser it fails. Needs a build of the library.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('page.mjs', import.meta.url))],
  bundle: true,
  format: 'iife',
  write: false,
  logLevel: 'error',
})
const [{ text: script }] = outputFiles

// As bundlers make it by default: what is loaded later has a file of its own.
const split = await build({
  entryPoints: [fileURLToPath(new URL('page.mjs', import.meta.url))],
  bundle: true,
  format: 'esm',
  splitting: true,
  outdir: '/split',
  write: false,
  logLevel: 'error',
})
const pieces = new Map(split.outputFiles.map(({ path, text }) => [path, text]))

// A page is secure on loopback, unless it has another name.
const INSECURE = 'page.test'
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', `--host-resolver-rules=MAP ${INSECURE} 127.0.0.1`],
})

/** A server of its own for each test, and so an origin and a database; waiting for spans takes as long as it takes. */
const start = async () => {
  const state = { isDown: false, isUpdated: false, ids: [], requests: [] }
  let arrived = () => undefined
  const server = createServer(async (request, response) => {
    const body = await buffer(request).catch(() => undefined)
    // A page that is left may be gone within its request.
    if (body === undefined) return
    const [path] = request.url.split('?')
    if (path.startsWith('/split/')) {
      const text = path === '/split/page.js' || !state.isUpdated ? pieces.get(path) : undefined
      response.writeHead(text === undefined ? 404 : 200, { 'content-type': 'text/javascript' }).end(text)
      return
    }
    if (path === '/split') {
      response.setHeader('content-type', 'text/html')
      response.end('<!doctype html><script type="module" src="/split/page.js"></script>')
      return
    }
    if (request.method === 'GET') {
      response.setHeader('content-type', request.url === '/page.js' ? 'text/javascript' : 'text/html')
      response.end(request.url === '/page.js' ? script : '<!doctype html><script src="/page.js"></script>')
      return
    }
    state.requests.push(body.length)
    if (state.isDown) response.writeHead(503).end()
    else {
      state.ids.push(...JSON.parse(body.toString()).map(({ span_unique_id: id }) => id))
      response.setHeader('content-type', 'application/json')
      response.end('{"message":"ok"}')
    }
    arrived()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${server.address().port}`
  const context = await browser.newContext()
  return {
    state,
    url,
    open: async (query = '', origin = url) => {
      const page = await context.newPage()
      await page.goto(`${origin}/${query}`)
      return page
    },
    until: async (isSo) => {
      while (!isSo()) {
        await new Promise((resolve) => {
          arrived = resolve
        })
      }
    },
    close: async () => {
      await context.close()
      server.closeAllConnections()
      server.close()
    },
  }
}

const count = (page, ...args) =>
  page.evaluate(([number, size]) => {
    globalThis.handles.trace(number, size)
    return globalThis.handles.sink.stats().accepted
  }, args)

const flush = (page) => page.evaluate(() => globalThis.handles.sink.flush())

const written = (page) => page.evaluate(() => globalThis.handles.written())

/** Waits until a database has so many spans. */
const untilWritten = async (page, number) => {
  while ((await written(page)) !== number);
}

/** Has the spool open and empty, as it is a moment after the first span. */
const warmUp = async (page, { until, state }) => {
  const before = state.ids.length
  await count(page, 1)
  await flush(page)
  await until(() => state.ids.length === before + 1)
  await untilWritten(page, 0)
}

/** A page that has ten spans in its database alone, since the server is down. */
const spoolTen = async (rig) => {
  const page = await rig.open('?strength=on-failure')
  await warmUp(page, rig)
  rig.state.isDown = true
  await count(page, 10)
  assert.equal((await flush(page))._tag, 'Left')
  await untilWritten(page, 10)
  return page
}

/** Clears the data of the site, and sees that a flush tells the ten as lost. */
const loseThem = async (page, rig) => {
  const session = await page.context().newCDPSession(page)
  await session.send('Storage.clearDataForOrigin', { origin: rig.url, storageTypes: 'indexeddb' })
  await flush(page)
  const { spooled, dropped } = await page.evaluate(() => globalThis.handles.sink.stats())
  assert.deepEqual([spooled, dropped], [0, 10])
}

const eachOnce = ({ ids }, number) => {
  assert.equal(new Set(ids).size, number)
  assert.equal(ids.length, number)
}

const STRENGTHS = ['none', 'on-failure', 'always']

const query = (strength) => (strength === 'none' ? '' : `?strength=${strength}`)

/** A test for each of some strengths, by its title. */
const each = (strengths, title, run) =>
  Object.fromEntries(
    strengths.map((strength) => [`${title} (spool: ${strength})`, (rig) => run(rig, strength)]),
  )

/**
 * What the next page of the same origin delivers, beside a span of its own. It looks again until it has so many: the
 * browser may still be at work on the end of the page that was left.
 */
const nextDelivers = async (rig, strength, atLeast = 0) => {
  const before = rig.state.ids.length
  const next = await rig.open(query(strength))
  await count(next, 1)
  do assert.equal((await flush(next))._tag, 'Right')
  while (rig.state.ids.length - before - 1 < atLeast)
  if (strength !== 'none') await untilWritten(next, 0)
  assert.equal(await next.evaluate(() => localStorage.length), 0)
  return rig.state.ids.length - before - 1
}

/** Leaves a page that has more than one such request takes; returns how many spans arrived nevertheless. */
const leaveFull = async (rig, strength, prepare = async () => undefined) => {
  const page = await rig.open(query(strength))
  await warmUp(page, rig)
  await count(page, 100, 3_000)
  if (strength === 'always') await untilWritten(page, 100)
  await prepare(page)
  await page.goto('about:blank')
  await rig.until(() => rig.state.requests.length >= 2)
  const sent = rig.state.ids.length
  assert.ok(sent > 1 && sent < 50, `${sent}`)
  return sent
}

/** Leaves a page while the server is down, and brings the server up again. */
const leaveInOutage = async (rig, strength) => {
  const page = await rig.open(query(strength))
  await warmUp(page, rig)
  rig.state.isDown = true
  await count(page, 50)
  assert.equal((await flush(page))._tag, 'Left')
  await page.goto('about:blank')
  rig.state.isDown = false
}

const crash = async (page) => {
  const crashed = once(page, 'crash')
  page.goto('chrome://crash').catch(() => undefined)
  await crashed
}

const ENDS = {
  'the page is left by navigation': (page) => page.goto('about:blank'),
  'the tab is closed': (page) => page.close({ runBeforeUnload: true }),
}

const tests = {
  ...Object.assign(
    {},
    ...Object.entries(ENDS).map(([what, leave]) =>
      each(STRENGTHS, `${what}: a request that outlives it delivers`, async (rig, strength) => {
        const page = await rig.open(query(strength))
        await warmUp(page, rig)
        await count(page, 20)
        await leave(page)
        await rig.until(() => rig.state.ids.length >= 21)
        // With `always` the next page has no way to know that such a request arrived: at least once, and once more as many as
        // the browser had written when the page was left.
        const again = await nextDelivers(rig, strength)
        assert.ok(again === 0 || (strength === 'always' && again <= 20), `${again} once more`)
        assert.equal(new Set(rig.state.ids).size, 22)
      }),
    ),
  ),

  ...Object.assign(
    {},
    ...Object.entries(ENDS).flatMap(([what, leave]) =>
      [0, 20].map((queued) =>
        each(
          STRENGTHS,
          `${what}: a run that the page ends is delivered, beside ${queued} others`,
          async (rig, strength) => {
            const page = await rig.open(query(strength))
            await warmUp(page, rig)
            await page.evaluate(() => globalThis.handles.begin())
            await count(page, queued)
            await leave(page)
            await rig.until(() => new Set(rig.state.ids).size === queued + 2)
          },
        ),
      ),
    ),
  ),

  ...each(STRENGTHS, 'the page is hidden: delivers, and goes on when it is back', async (rig, strength) => {
    const page = await rig.open(query(strength))
    await count(page, 20)
    await page.evaluate(() => globalThis.handles.show('hidden'))
    await rig.until(() => rig.state.ids.length >= 20)
    await page.evaluate(() => globalThis.handles.show('visible'))
    await count(page, 5)
    await flush(page)
    eachOnce(rig.state, 25)
    await untilWritten(page, 0)
  }),

  'the page is left with more than such a request takes: the rest is lost (spool: none)': async (rig) => {
    await leaveFull(rig, 'none')
    assert.equal(await nextDelivers(rig, 'none'), 0)
  },

  ...each(
    ['on-failure', 'always'],
    'the page is left with more than such a request takes: the next page delivers the rest',
    async (rig, strength) => {
      const sent = await leaveFull(rig, strength)
      assert.ok(rig.state.requests[1] <= 65_536)
      const rest = await nextDelivers(rig, strength, 101 - sent)
      assert.ok(rest === 101 - sent || (strength === 'always' && rest === 100), `${rest}`)
      assert.equal(new Set(rig.state.ids).size, 102)
    },
  ),

  'the browser undoes what a page wrote while it was left: the next page delivers it (spool: on-failure)':
    async (rig) => {
      const sent = await leaveFull(rig, 'on-failure', (page) =>
        page.evaluate(() => globalThis.handles.undo()),
      )
      assert.equal(await nextDelivers(rig, 'on-failure', 101 - sent), 101 - sent)
      eachOnce(rig.state, 102)
    },

  'a database that takes nothing is told of once: no promise is left to fail on its own': async (rig) => {
    const page = await rig.open('?strength=always')
    await warmUp(page, rig)
    await page.evaluate(() => globalThis.handles.undo())
    await count(page, 10)
    assert.equal((await flush(page))._tag, 'Right')
    eachOnce(rig.state, 11)
    const [warnings, unhandled] = await page.evaluate(() => [
      globalThis.handles.warnings,
      globalThis.handles.unhandled,
    ])
    assert.deepEqual(unhandled, [])
    assert.equal(warnings.filter((warning) => warning.includes('the spool failed')).length, 1)
  },

  'the data of the site are cleared: what was there is told to be lost, and the rest is kept as before':
    async (rig) => {
      const page = await spoolTen(rig)
      await loseThem(page, rig)
      await count(page, 5)
      await flush(page)
      await page.goto('about:blank')
      rig.state.isDown = false
      assert.equal(await nextDelivers(rig, 'on-failure', 5), 5)
    },

  'the data of the site are cleared, and nothing opens for a moment: a flush waits for that': async (rig) => {
    const page = await spoolTen(rig)
    await page.evaluate(() => {
      const { open } = IDBFactory.prototype
      IDBFactory.prototype.open = () => {
        IDBFactory.prototype.open = open
        throw new DOMException('The connection was closed.', 'AbortError')
      }
    })
    await loseThem(page, rig)
  },

  'the server is down when the page is left: everything is lost (spool: none)': async (rig) => {
    await leaveInOutage(rig, 'none')
    assert.equal(await nextDelivers(rig, 'none'), 0)
  },

  ...each(
    ['on-failure', 'always'],
    'the server is down when the page is left: the next page delivers everything',
    async (rig, strength) => {
      await leaveInOutage(rig, strength)
      assert.equal(await nextDelivers(rig, strength, 50), 50)
      eachOnce(rig.state, 52)
    },
  ),

  ...each(['none', 'on-failure'], 'the tab crashes: loses what is in memory', async (rig, strength) => {
    const page = await rig.open(query(strength))
    await warmUp(page, rig)
    await count(page, 30)
    await crash(page)
    assert.equal(await nextDelivers(rig, strength), 0)
  }),

  'the tab crashes: the next page delivers what was accepted (spool: always)': async (rig) => {
    const page = await rig.open('?strength=always')
    await count(page, 30)
    await untilWritten(page, 30)
    await crash(page)
    assert.equal(await nextDelivers(rig, 'always', 30), 30)
    eachOnce(rig.state, 31)
  },

  // A browser may undo what it is writing when a page is left: seldom, so that this can't be waited for.
  'what is being written when a page is left is kept beside the database until it is written': async (
    rig,
  ) => {
    const page = await rig.open('?strength=always')
    await warmUp(page, rig)
    rig.state.isDown = true
    const copies = await page.evaluate(() => {
      globalThis.handles.trace(30)
      dispatchEvent(new Event('pagehide'))
      // A copy is made once.
      dispatchEvent(new Event('pagehide'))
      return Object.values(localStorage).map((saved) => JSON.parse(saved).length)
    })
    assert.equal(
      copies.reduce((sum, length) => sum + length, 0),
      30,
    )
    await untilWritten(page, 30)
    while ((await page.evaluate(() => localStorage.length)) > 0);
    rig.state.isDown = false
    await page.evaluate(() => dispatchEvent(new Event('pageshow')))
    assert.equal((await flush(page))._tag, 'Right')
    eachOnce(rig.state, 31)
  },

  ...each(STRENGTHS, 'a page is left before it has sent anything: delivers', async (rig, strength) => {
    const page = await rig.open(`split${query(strength)}`)
    await count(page, 20)
    await page.goto('about:blank')
    await rig.until(() => rig.state.ids.length >= 20)
  }),

  ...each(STRENGTHS, 'a frame is taken out of its page: delivers', async (rig, strength) => {
    const page = await rig.open()
    await page.evaluate(async (query) => {
      const frame = Object.assign(document.createElement('iframe'), { src: `/${query}` })
      document.body.append(frame)
      await new Promise((resolve) => {
        frame.onload = resolve
      })
      const { sink, trace } = frame.contentWindow.handles
      trace(1)
      await sink.flush()
      trace(20)
      frame.remove()
    }, query(strength))
    await rig.until(() => rig.state.ids.length >= 21)
  }),

  'a new version of the site has replaced the files of a page: it delivers all the same': async (rig) => {
    const page = await rig.open('split')
    rig.state.isUpdated = true
    await count(page, 20)
    assert.equal((await flush(page))._tag, 'Right')
    eachOnce(rig.state, 20)
  },

  'a page that learns late who is alive takes nothing from a page that came since': async (rig) => {
    const dead = await spoolTen(rig)
    await dead.close()
    const late = await rig.open('?strength=on-failure')
    await late.evaluate(() => {
      const { query } = LockManager.prototype
      LockManager.prototype.query = async function () {
        LockManager.prototype.query = query
        const answer = await query.call(this)
        await new Promise((resolve) => {
          globalThis.goOn = resolve
        })
        return answer
      }
      globalThis.flushed = globalThis.handles.sink.flush()
    })
    await late.waitForFunction(() => globalThis.goOn !== undefined)
    const heir = await rig.open('?strength=on-failure')
    await flush(heir)
    await late.evaluate(() => {
      globalThis.goOn()
      return globalThis.flushed
    })
    const accepted = (page) => page.evaluate(() => globalThis.handles.sink.stats().accepted)
    assert.deepEqual([await accepted(heir), await accepted(late)], [10, 0])
  },

  'whoever deletes the database waits for no page, and the page is told what is lost': async (rig) => {
    const page = await spoolTen(rig)
    const other = await rig.open()
    await other.evaluate(
      () =>
        new Promise((resolve) => {
          indexedDB.deleteDatabase('respan-rx').onsuccess = resolve
        }),
    )
    await flush(page)
    const { spooled, dropped } = await page.evaluate(() => globalThis.handles.sink.stats())
    assert.deepEqual([spooled, dropped], [0, 10])
  },

  'two pages share a database: each delivers its own, and nobody sends one twice': async (rig) => {
    const one = await rig.open('?strength=always')
    const other = await rig.open('?strength=always')
    await count(one, 30)
    await count(other, 30)
    await Promise.all([flush(one), flush(other)])
    eachOnce(rig.state, 60)
    for (const page of [one, other]) {
      const { accepted, delivered } = await page.evaluate(() => globalThis.handles.sink.stats())
      assert.deepEqual([accepted, delivered], [30, 30])
    }
  },

  'a page that is not secure has a database, too: the next page delivers what one left': async (rig) => {
    const origin = rig.url.replace('127.0.0.1', INSECURE)
    rig.state.isDown = true
    const page = await rig.open('?strength=always', origin)
    assert.equal(await page.evaluate(() => isSecureContext), false)
    await count(page, 30)
    await page.evaluate(() => globalThis.handles.sink.close())
    const { spooled } = await page.evaluate(() => globalThis.handles.sink.stats())
    assert.equal(spooled, 30)
    await page.close()
    rig.state.isDown = false
    const next = await rig.open('?strength=always', origin)
    // Without Web Locks, whoever wrote nothing for an hour is dead.
    await next.evaluate((now) => {
      Date.now = () => now
    }, Date.now() + 7_200_000)
    await flush(next)
    eachOnce(rig.state, 30)
  },

  'a span that is too large for the database costs none of the others their room': async (rig) => {
    const page = await rig.open('?strength=on-failure&maxBytes=65536')
    rig.state.isDown = true
    await count(page, 20)
    await count(page, 1, 200_000)
    await flush(page)
    await page.evaluate(() => globalThis.handles.sink.close())
    const { spooled, dropped } = await page.evaluate(() => globalThis.handles.sink.stats())
    assert.deepEqual([spooled, dropped], [20, 1])
  },

  'a full database gives up the oldest spans, counted and reported': async (rig) => {
    const page = await rig.open('?strength=on-failure&maxBytes=65536')
    rig.state.isDown = true
    await count(page, 100, 1_000)
    await flush(page)
    await page.evaluate(() => globalThis.handles.sink.close())
    const { accepted, spooled, dropped } = await page.evaluate(() => globalThis.handles.sink.stats())
    assert.equal(accepted, 100)
    assert.equal(spooled + dropped, 100)
    assert.ok(spooled > 10 && dropped > 10, `${spooled} spooled, ${dropped} dropped`)
    const warnings = await page.evaluate(() => globalThis.handles.warnings)
    assert.ok(warnings.some((warning) => warning.includes('no room left in the spool')))
    rig.state.isDown = false
    await page.close()
    const next = await rig.open('?strength=on-failure')
    await flush(next)
    eachOnce(rig.state, spooled)
  },

  'what is too old is given up, although nothing more is written': async (rig) => {
    const page = await rig.open('?strength=on-failure&maxAge=1000')
    await page.clock.install()
    rig.state.isDown = true
    await count(page, 10)
    assert.equal((await flush(page))._tag, 'Left')
    const dropped = () => page.evaluate(() => globalThis.handles.sink.stats().dropped)
    // Not those that are on their way just then.
    while ((await dropped()) < 10) await page.clock.fastForward(60_000)
    await untilWritten(page, 0)
    const warnings = await page.evaluate(() => globalThis.handles.warnings)
    assert.ok(warnings.some((warning) => warning.includes('too old')))
  },
}

let passed = 0
let failed = 0
for (const [title, run] of Object.entries(tests)) {
  const rig = await start()
  const limit = new Promise((_, reject) =>
    setTimeout(reject, 30_000, new Error('took more than 30 s')).unref(),
  )
  try {
    await Promise.race([run(rig), limit])
    passed++
    console.log(`  ✔ ${title}`)
  } catch (thrown) {
    failed++
    console.log(`  ✘ ${title}\n`, thrown, rig.state.requests, rig.state.ids.length)
  }
  await rig.close()
}
await browser.close()

console.log(`\n  ${passed} tests passed`)
if (failed > 0) {
  console.log(`  ${failed} test${failed === 1 ? '' : 's'} failed`)
  process.exitCode = 1
}
