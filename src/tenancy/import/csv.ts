import { UserError } from '../../errors.ts'
import { emptyDraft, type OrgDraft } from './draft.ts'

const columns = ['user', 'uid', 'group', 'gid', 'role', 'name', 'email'] as const

/**
 * Reads people from CSV (RFC 4180, or with semicolons or tabs, as spreadsheets write it) with a header line. Columns: user and group, and if wanted uid, gid, role, name,
 * email. A user may have several lines, one for each group.
 *
 * @throws {UserError} `CONFIG_INVALID` with the line.
 */
export function draftFromCsv(text: string, organisation: string, file: string): OrgDraft {
  const [header = [], ...rows] = parseCsv(text)
  const names = header.map((name) => name.trim().toLowerCase())
  for (const needed of ['user', 'group']) {
    if (!names.includes(needed)) {
      throw new UserError('CONFIG_INVALID', `file "${file}" has no column "${needed}"`, {
        hint: `the first line names the columns, from: ${columns.join(', ')}`,
      })
    }
  }
  const draft = emptyDraft(organisation)
  const known: readonly string[] = columns
  const unread = names.filter((name) => name !== '' && !known.includes(name))
  if (unread.length > 0) {
    draft.notes.push(`file "${file}" has columns that mean nothing here: ${unread.join(', ')}`)
  }
  for (const [index, row] of rows.entries()) {
    if (row.every((cell) => cell.trim() === '')) continue
    const cell = (name: (typeof columns)[number]): string => (row[names.indexOf(name)] ?? '').trim()
    const number = (name: 'uid' | 'gid'): number | undefined => {
      if (cell(name) === '') return undefined
      if (/^\d{1,10}$/.test(cell(name))) return Number(cell(name))
      throw new UserError(
        'CONFIG_INVALID',
        `file "${file}" has the ${name} "${cell(name)}" in line ${index + 2}, which is no number`,
      )
    }
    const [user, group] = [cell('user'), cell('group')]
    if (user === '' || group === '') {
      throw new UserError(
        'CONFIG_INVALID',
        `file "${file}" names no ${user === '' ? 'user' : 'group'} in line ${index + 2}`,
      )
    }
    const person = draft.users.get(user) ?? {}
    const [uid, gid] = [number('uid'), number('gid')]
    const refuseSecond = (what: string, first: number | undefined, second: number | undefined): void => {
      if (first === undefined || second === undefined || first === second) return
      throw new UserError(
        'CONFIG_INVALID',
        `file "${file}" gives ${what} the id ${second} in line ${index + 2}, and ${first} before`,
        { hint: 'one id for each; leave it out in all lines but one' },
      )
    }
    refuseSecond(`user "${user}"`, person.uid, uid)
    refuseSecond(`group "${group}"`, draft.groups.get(group)?.gid, gid)
    if (uid !== undefined) person.uid ??= uid
    if (cell('name') !== '') person.name ??= cell('name')
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

/** What parts the cells: whatever the header has most of. */
function separatorOf(text: string): string {
  const [header = ''] = text.split('\n', 1)
  const count = (separator: string): number => header.split(separator).length
  return [';', '\t'].reduce((best, each) => (count(each) > count(best) ? each : best), ',')
}

function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let cell = ''
  let isQuoted = false
  const plain = text.replace(/^\uFEFF/, '')
  const separator = separatorOf(plain)
  const endCell = (): void => {
    row.push(cell)
    cell = ''
  }
  for (let at = 0; at < plain.length; at += 1) {
    const letter = plain[at]
    if (isQuoted) {
      if (letter !== '"') cell += letter
      else if (plain[at + 1] === '"') {
        cell += '"'
        at += 1
      } else isQuoted = false
    } else if (letter === '"' && cell === '') isQuoted = true
    else if (letter === separator) endCell()
    else if (letter === '\n') {
      endCell()
      rows.push(row)
      row = []
    } else if (letter !== '\r') cell += letter
  }
  if (cell !== '' || row.length > 0) {
    endCell()
    rows.push(row)
  }
  return rows
}
