// node tools/runtimes/suite.mjs bun|deno, after `npm run build` and `npm ci` in this folder: the suite on another runtime.
// What is left out there asks for something that the runtime does its own way; each with the reason.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))

/** Titles, in which a star stands for anything. */
const EVERYWHERE = [
  // Its error has another code.
  'other modules can not be imported',
  // Who unpacks takes a packed text that is broken off for a whole one.
  'a gateway that compresses the answer and ends within it, whole',
  // console.log quotes with ".
  'the block with faults prints what became of the requests',
  // It takes a moment until a connection is free for another request, or their servers end it with the answer.
  'keeps the connection for the next call',
  // They replace functions of node:fs, which Node alone shows to those who have imported them.
  'a disk that is too full even to be cut has a torn line, and those after it are whole',
  'a disk that is too full to note what was removed is told, and keeps the rest',
  'what somebody else has written meanwhile is not taken back',
  // They measure V8, by flags of Node.
  'a stream that waits keeps nothing of the text that its last piece was',
]

const RUNTIMES = {
  bun: {
    command: [path('node_modules/bun/bin/bun'), '--bun'],
    flags: [],
    leftOut: [
      ...EVERYWHERE,
      // When a connection breaks, its fetch drops what has arrived and was not read yet.
      'a gateway that hangs up within the stream, streamed',
      'a gateway that resets within the stream, streamed',
      'a stream that is closed without the end of its body*',
      'a stream that is reset*',
      'reports a connection that is reset, and asks no second time once a chunk was passed on',
      'a fallback is for what its predicate names, and never after the first token',
      // It takes any number of headers.
      'a gateway that has a megabyte of headers, *',
      // It reads .env by itself.
      'reads no .env file by itself, and what Node reads of one',
      // Its own node:crypto needs what is taken away.
      'importing asks for none of the Web APIs that a page made for tests lacks',
      // An address with a query is the same module there.
      'is the same for each copy of the library that a bundler or a hot reload makes',
      // It has no gc().
      '*nothing of a trace stays in memory once it is delivered',
      'memory does not grow',
      // Its node:async_hooks tells nothing of resources.
      'who keeps book of what is alive by async_hooks is told that a run is over',
    ],
  },
  deno: {
    command: [path('node_modules/deno/deno'), 'run', '--allow-all'],
    flags: ['--no-worker-threads'],
    leftOut: [
      ...EVERYWHERE,
      // It tells nobody when an error ends it.
      'uncaught exception: loses what is queued, and tells',
      'uncaught exception, with a spool: the next process delivers',
      'unhandled rejection: loses what is queued, and tells',
      'unhandled rejection, with a spool: the next process delivers',
      // It tells nobody when a worker has nothing more to do.
      'a worker thread falls off its end, spool *: delivers first',
      // A package has timers of its own there, which a test can't command.
      'waits as *says*',
      'waits beyond the cap when the server asks for it',
      'waits a random part of *',
      // Its process.on listens at the page that these tests pretend to be.
      'a page *',
      'a span that is too large to outlive its page is sent all the same, and a page that is back is as before',
      'a transport that cannot tell the size of a span has it estimated',
      'where nobody may listen for the end of a page, spans are delivered all the same',
      // Its errors of the network have no codes.
      'reports a refused connection, its address and its code, and no key',
      // A shell starts it, as one starts Node.
      'a segment whose disk is full goes when all of it was delivered, and nobody sends it again',
      'of what a full disk took a part only, nothing is found that was counted as lost',
      // It calls those who listen for a signal in the order in which they came, whatever was asked for.
      'an application that answers a signal once, and began to listen before, ends by itself',
      // It measures the collector of Node.
      'spans that come and go are left to the collector of what is young',
      // That server takes three minutes to stop there.
      'understands a server that nobody here wrote, streamed and whole',
      'reports the faults of a server that nobody here wrote',
    ],
  },
}

const [name] = process.argv.slice(2)
const { command, flags, leftOut } = RUNTIMES[name]
const [runtime, ...args] = command
const { status } = spawnSync(
  runtime,
  [
    ...args,
    '--preload',
    path('coverage.mjs'),
    path('../../node_modules/ava/entrypoints/cli.mjs'),
    ...flags,
    ...['*', ...leftOut.map((title) => `!${title}`)].flatMap((title) => ['--match', title]),
    'build/**/*.js',
    '!build/foreign/**',
  ],
  { stdio: 'inherit' },
)
process.exitCode = status ?? 1
