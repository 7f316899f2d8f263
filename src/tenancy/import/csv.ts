import { UserError } from '../../errors.ts'
import { columnNamed, fullNameOf } from './csv-words.ts'
import { emptyDraft, type OrgDraft } from './draft.ts'

const columns = ['user', 'uid', 'group', 'gid', 'role', 'name', 'email'] as const

type Column = (typeof columns)[number]

/**
 * Reads people from CSV (RFC 4180, or with semicolons or tabs, as spreadsheets write it) with a header line. Columns:
 * user and group, and if wanted uid, gid, role, name, email. A user may have several lines, one for each group.
 *
 * @throws {UserError} `CONFIG_INVALID` with line and column.
 */
export function draftFromCsv(text: string, organisation: string, file: string): OrgDraft {
  const { rows, openQuote } = parseCsv(text)
  if (openQuote !== undefined) {
    throw new UserError(
      'CONFIG_INVALID',
      `file "${file}" opens a quote in ${placed(openQuote)} that nothing closes`,
      { hint: 'close it at the end of the cell; a quote within a cell is written twice' },
    )
  }
  const [header = [], ...lines] = rows
  const names = header.map((name) => columnNamed(name.text))
  for (const needed of ['user', 'group']) {
    if (!names.includes(needed)) {
      throw new UserError('CONFIG_INVALID', `file "${file}" has no column "${needed}"`, {
        hint: `the first line names the columns, from: ${columns.join(', ')}`,
      })
    }
  }
  const twice = columns.find((name) => names.indexOf(name) !== names.lastIndexOf(name))
  if (twice !== undefined) {
    throw new UserError('CONFIG_INVALID', `file "${file}" names the column "${twice}" twice`, {
      hint: 'give one of them another name',
    })
  }
  const draft = emptyDraft(organisation)
  const known: readonly string[] = columns
  const unread = names.filter((name) => name !== '' && !known.includes(name))
  if (unread.length > 0) {
    draft.notes.push(`file "${file}" has columns that mean nothing here: ${unread.join(', ')}`)
  }
  for (const row of lines) {
    const cells = row.findLastIndex(({ text }) => text.trim() !== '') + 1
    if (cells === 0) continue
    const cell = (name: Column): string => (row[names.indexOf(name)]?.text ?? '').trim()
    const place = (name: Column): string => placed(row[names.indexOf(name)] ?? row[0])
    if (cells > header.length) {
      throw new UserError(
        'CONFIG_INVALID',
        `file "${file}" has ${cells} cells in line ${row[0]?.line}, and ${header.length} columns`,
        { hint: 'put a cell that has the separator in it between double quotes' },
      )
    }
    const number = (name: 'uid' | 'gid'): number | undefined => {
      if (cell(name) === '') return undefined
      if (/^\d{1,10}$/.test(cell(name))) return Number(cell(name))
      throw new UserError(
        'CONFIG_INVALID',
        `file "${file}" has the ${name} "${cell(name)}" in ${place(name)}, which is no number`,
        { hint: 'write a whole number, or leave the cell empty: the next free one is taken' },
      )
    }
    const [user, group] = [cell('user'), cell('group')]
    if (user === '' || group === '') {
      throw new UserError(
        'CONFIG_INVALID',
        `file "${file}" names no ${user === '' ? 'user' : 'group'} in ${place(user === '' ? 'user' : 'group')}`,
        { hint: 'every line has a user and a group; leave out the whole line otherwise' },
      )
    }
    const person = draft.users.get(user) ?? {}
    const [uid, gid] = [number('uid'), number('gid')]
    const refuseSecond = (what: string, first: number | undefined, second: number | undefined): void => {
      if (first === undefined || second === undefined || first === second) return
      throw new UserError(
        'CONFIG_INVALID',
        `file "${file}" gives ${what} the id ${second} in line ${row[0]?.line}, and ${first} before`,
        { hint: 'one id for each; leave it out in all lines but one' },
      )
    }
    refuseSecond(`user "${user}"`, person.uid, uid)
    refuseSecond(`group "${group}"`, draft.groups.get(group)?.gid, gid)
    if (uid !== undefined) person.uid ??= uid
    if (cell('name') !== '') person.name ??= fullNameOf(cell('name'))
    if (cell('email') !== '') person.email ??= cell('email')
    draft.users.set(user, person)
    const team = draft.groups.get(group) ?? { quota: {}, members: {} }
    if (gid !== undefined) team.gid ??= gid
    team.members[user] = cell('role') || 'member'
    draft.groups.set(group, team)
  }
  if (draft.users.size > 0) return draft
  throw new UserError('CONFIG_INVALID', `file "${file}" names nobody`, {
    hint: 'below the line that names the columns, one line for each user and group',
  })
}

function placed(place: Place | undefined): string {
  return `line ${place?.line ?? 1}, column ${place?.column ?? 1}`
}

/** What parts the cells: whatever the header has most of. */
function separatorOf(text: string): string {
  const [header = ''] = text.split('\n', 1)
  const count = (separator: string): number => header.split(separator).length
  return [';', '\t'].reduce((best, each) => (count(each) > count(best) ? each : best), ',')
}

/** Where something begins, as an editor counts: from 1. */
interface Place {
  readonly line: number
  readonly column: number
}

interface Cell extends Place {
  readonly text: string
}

/** The rows with their cells, and the place of a quote that nothing closes. Lines may lie within cells. */
function parseCsv(text: string): { rows: Cell[][]; openQuote?: Place } {
  const rows: Cell[][] = []
  let row: Cell[] = []
  let cell = ''
  let isQuoted = false
  const plain = text.replace(/^\uFEFF/, '').replaceAll(/\r\n?/g, '\n')
  const separator = separatorOf(plain)
  let line = 1
  let lineStart = 0
  let begin: Place = { line: 1, column: 1 }
  const endCell = (next: number): void => {
    row.push({ ...begin, text: cell })
    cell = ''
    begin = { line, column: next - lineStart + 1 }
  }
  for (let at = 0; at < plain.length; at += 1) {
    const letter = plain[at]
    if (letter === '\n') {
      line += 1
      lineStart = at + 1
    }
    if (isQuoted) {
      if (letter !== '"') cell += letter
      else if (plain[at + 1] === '"') {
        cell += '"'
        at += 1
      } else isQuoted = false
    } else if (letter === '"' && cell === '') isQuoted = true
    else if (letter === separator) endCell(at + 1)
    else if (letter === '\n') {
      endCell(at + 1)
      rows.push(row)
      row = []
    } else cell += letter
  }
  if (cell !== '' || row.length > 0) {
    endCell(plain.length)
    rows.push(row)
  }
  return isQuoted ? { rows, openQuote: rows.at(-1)?.at(-1) ?? begin } : { rows }
}
