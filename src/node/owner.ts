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
import { isError } from '../codecs/isError.js'
import { tried } from '../codecs/tried.js'

/** Whoever writes into a folder: one opened spool of one thread of one process. */
export interface Owner {
  /** `<machine>-<pid>-<start>-<random>`; part of the names of its files. */
  readonly id: string
  /** Says that it lives, to be called once in a while. `false`: somebody took it for dead and has what it wrote. */
  readonly beat: () => boolean
  /** Makes sure that nobody took it for dead, to be asked before it writes; `false` as above. */
  readonly isSure: () => boolean
  /** It has nothing more to write: what it wrote is anybody's. */
  readonly leave: () => void
}

/** How often an owner says that it lives, ms. */
export const HEARTBEAT = 5_000

/** An owner of another machine, container or thread which has been silent for so long is dead, ms. */
const SILENCE = 60_000

/** Says which machine this is, in eight hex digits. */
const machineId = (): string =>
  createHash('sha256')
    .update(
      // Within a container, process ids mean nothing outside of it; after a boot, nothing at all.
      [
        hostname(),
        tried(() => readlinkSync('/proc/self/ns/pid')),
        tried(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
      ].join('\n'),
    )
    .digest('hex')
    .slice(0, 8)

/** When a process started, where the system tells: a process id may be used again. */
const startOf = (pid: number): string => {
  const stat = tried(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  // The name of the program is in parentheses, and may hold anything; the start is the 20th field after it.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
}

const lockOf = (directory: string, id: string): string => join(directory, `${id}.lock`)

const LOCK = /^([0-9a-f]{8}-\d+-\d+-[0-9a-f]{12})\.lock$/

/** The owners that have not left a folder; some may have died. */
export const locks = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory).flatMap((name) => LOCK.exec(name)?.[1] ?? [])

/** Owners of this thread. */
const living = new Set<string>()

/** Makes an owner that lives from now on. */
export const makeOwner = (directory: string): Owner => {
  const id = `${machineId()}-${process.pid}-${startOf(process.pid)}-${randomBytes(6).toString('hex')}`
  const lock = lockOf(directory, id)
  const file = openSync(lock, 'wx', 0o600)
  let beaten = performance.now()
  living.add(id)

  const beat = (): boolean => {
    if (!living.has(id) || !existsSync(lock)) return false
    // Written, so that the time is the file system's, whatever the clocks of its users say.
    tried(() => writeSync(file, '.', 0))
    beaten = performance.now()
    return true
  }

  return {
    id,
    beat,
    isSure: () => performance.now() - beaten < SILENCE / 2 || beat(),
    leave: () => {
      // Once: by then, the number of the closed file may be another one's.
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
    // Somebody else's process does run.
    if (!(isError(thrown) && 'code' in thrown && thrown.code === 'EPERM')) return false
  }
  return start === '0' || startOf(pid) === '0' || startOf(pid) === start
}

/**
 * Declares an owner dead, if it is. It can't come back: its lock is gone from then on.
 *
 * @param me - has just said that it lives
 * @returns whether it is dead
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
  // A process of this machine can be asked, and may be silent as long as it likes: stopped, or busy.
  const dead = !existsSync(lock) || (!living.has(id) && (here ? !runs(Number(pid), start) : silent()))
  if (dead) tried(() => unlinkSync(lock))
  return dead
}
