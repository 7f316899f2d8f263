// What every benchmark prints: a table for people, and one JSON line for programs.
import { availableParallelism, loadavg, totalmem } from 'node:os'

/** The machine in words that say how fast, not whose. */
export function machine() {
  return {
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1e9),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    // Above the number of cores, other work took part of the time that is measured.
    loadBefore: Math.round(loadavg()[0] * 10) / 10,
  }
}

/**
 * Prints results. A row: `{ name, value, unit, goal, atLeast }`; `goal` is met from below, or from above with `atLeast`.
 */
export function report(title, about, rows, details) {
  const lines = [`${title} (${about.cores} cores, Node ${about.node}, load ${about.loadBefore} before)`]
  const checked = rows.map((row) => ({ ...row, isMet: isMet(row) }))
  for (const { name, value, unit = '', goal, atLeast, isMet: met } of checked) {
    const aim = goal === undefined ? '' : `  goal ${atLeast ? '>=' : '<='} ${goal}${met ? '' : '  MISSED'}`
    lines.push(`  ${name.padEnd(46)} ${String(value).padStart(10)} ${unit.padEnd(9)}${aim}`.trimEnd())
  }
  process.stdout.write(`${lines.join('\n')}\n`)
  process.stdout.write(`${JSON.stringify({ benchmark: title, machine: about, rows: checked, ...details })}\n`)
}

function isMet({ value, goal, atLeast }) {
  if (goal === undefined) return undefined
  return atLeast ? value >= goal : value <= goal
}
