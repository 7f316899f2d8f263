import { Cron } from 'croner'
import { parseDurationMs } from '../../kube/index.ts'

/** When a cron job is to run. */
export interface Schedule {
  /** The first time after `after`; undefined when there is none any more. */
  next(after: number): number | undefined
  /** The last time at or before `now`. */
  previous(now: number): number | undefined
}

const nicknames: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

/**
 * Reads a schedule in the form that Kubernetes takes: five fields, a nickname, or `@every 5m` counted from `since`.
 *
 * @throws {Error} when it is none.
 */
export function parseSchedule(
  text: string,
  options: { readonly timeZone?: string; readonly since: number },
): Schedule {
  const every = /^@every (.+)$/.exec(text.trim())
  if (every !== null) return interval(every[1] ?? '', options.since)
  const pattern = nicknames[text.trim()] ?? text.trim()
  const cron = new Cron(pattern, {
    mode: '5-part',
    paused: true,
    ...(options.timeZone !== undefined && { timezone: options.timeZone }),
  })
  return {
    next: (after) => cron.nextRun(new Date(after))?.getTime(),
    previous: (now) =>
      // The reference itself is not counted as previous.
      cron
        .previousRuns(2, new Date(now + 1000))
        .map((time) => time.getTime())
        .find((time) => time <= now),
  }
}

function interval(text: string, since: number): Schedule {
  const duration = parseDurationMs(text)
  if (duration === undefined || duration < 1000) throw new Error(`failed to parse duration @every ${text}`)
  const periodMs = Math.floor(duration / 1000) * 1000
  const start = Math.floor(since / 1000) * 1000
  return {
    next: (after) =>
      after < start ? start + periodMs : start + (Math.floor((after - start) / periodMs) + 1) * periodMs,
    previous: (now) =>
      now < start + periodMs ? undefined : start + Math.floor((now - start) / periodMs) * periodMs,
  }
}

/** Is the name one of the time zones that this machine knows? */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

export interface Due {
  /** The time that is to be served now; undefined when none is. */
  readonly scheduled: number | undefined
  readonly missed: 'none' | 'few' | 'many'
}

/** More than that many missed runs are taken for a clock gone wrong. */
const manyMissed = 100

/** The last scheduled time since `earliest` that has not been served. */
export function lastDue(schedule: Schedule, earliest: number, now: number): Due {
  if (earliest > now) return { scheduled: undefined, missed: 'none' }
  const scheduled = schedule.previous(now)
  if (scheduled === undefined || scheduled <= earliest) return { scheduled: undefined, missed: 'none' }
  let count = 0
  for (let time = schedule.next(earliest); time !== undefined && time <= now; time = schedule.next(time)) {
    count += 1
    if (count > manyMissed) return { scheduled, missed: 'many' }
  }
  return { scheduled, missed: 'few' }
}
