import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isError } from '../util/isError.js'
import { tried } from '../util/tried.js'

/** A writer in a folder: one opened spool of one thread of one process. */
export interface Owner {
  /** `<machine>-<pid>-<start>-<random>`; part of the names of its files. */
  readonly id: string
  /** Heartbeat, to be called regularly. `false` if another owner took this one for dead, and may have taken its files. */
  readonly beat: () => boolean
  /** To be called before writing: `false` if another owner took this one for dead. Beats only if that may be the case. */
  readonly isSure: () => boolean
  /** Gives up the lock: from now on, the files are anybody's. */
  readonly leave: () => void
}

/** Interval of an owner's heartbeat, ms. */
export const HEARTBEAT = 5_000

/** How long the owner of another machine, container or thread is silent until it counts as dead, ms. */
const SILENCE = 60_000

/** Identifies this machine, in eight hex digits. */
const machineId = (): string =>
  createHash('sha256')
    .update(
      // Process ids of a container mean nothing outside of it, and those before a reboot nothing after it.
      [
        hostname(),
        tried(() => readlinkSync('/proc/self/ns/pid')),
        tried(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
      ].join('\n'),
    )
    .digest('hex')
    .slice(0, 8)

/** When a process started, or `'0'` if the system does not tell: process ids are reused. */
const startOf = (pid: number): string => {
  const stat = tried(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  // The name of the program is in parentheses and may hold any characters; the start is the 20th field after it.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
}

const lockOf = (directory: string, id: string): string => join(directory, `${id}.lock`)

const LOCK = /^([0-9a-f]{8}-\d+-\d+-[0-9a-f]{12})\.lock$/

/** The ids of owners that have not left a folder; some may have died. */
export const locks = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory).flatMap((name) => LOCK.exec(name)?.[1] ?? [])

/** The ids of this thread's owners. */
const living = new Set<string>()

/** Makes an owner, and its lock. */
export const makeOwner = (directory: string): Owner => {
  const id = `${machineId()}-${process.pid}-${startOf(process.pid)}-${randomBytes(6).toString('hex')}`
  const lock = lockOf(directory, id)
  const file = openSync(lock, 'wx', 0o600)
  let beaten = performance.now()
  living.add(id)

  const beat = (): boolean => {
    if (!living.has(id) || !existsSync(lock)) return false
    // By writing, so that the file system sets the time, whatever the clocks of the machines that share it say.
    tried(() => writeSync(file, '.', 0))
    beaten = performance.now()
    return true
  }

  return {
    id,
    beat,
    isSure: () => performance.now() - beaten < SILENCE / 2 || beat(),
    leave: () => {
      // Only once: after that, the descriptor of the closed file may belong to another file.
      if (!living.delete(id)) return
      beaten = Number.NEGATIVE_INFINITY
      tried(() => closeSync(file))
      tried(() => unlinkSync(lock))
    },
  }
}

const runs = (pid: number, start: string): boolean => {
  try {
    process.kill(pid, 0)
  } catch (thrown) {
    // EPERM: the process is running, as another user.
    if (!(isError(thrown) && 'code' in thrown && thrown.code === 'EPERM')) return false
  }
  return start === '0' || startOf(pid) === '0' || startOf(pid) === start
}

/**
 * Declares an owner dead, if it is. That is final, because its lock is removed.
 *
 * @param me - the owner that asks; it has just called `beat`
 * @returns whether the other owner is dead
 */
export const declareDead = (directory: string, id: string, me: Owner): boolean => {
  const lock = lockOf(directory, id)
  const silent = (): boolean => {
    const theirs = tried(() => statSync(lock).mtimeMs)
    const mine = tried(() => statSync(lockOf(directory, me.id)).mtimeMs)
    return theirs === undefined || (mine !== undefined && mine - theirs > SILENCE)
  }
  const [machine, pid, start = '0'] = id.split('-')
  const here = me.id.startsWith(`${machine}-`) && Number(pid) !== process.pid
  // A process of this machine can be checked, and so may be silent for any time, as when it is stopped or busy.
  const dead = !existsSync(lock) || (!living.has(id) && (here ? !runs(Number(pid), start) : silent()))
  if (dead) tried(() => unlinkSync(lock))
  return dead
}
