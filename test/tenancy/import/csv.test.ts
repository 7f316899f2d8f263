import { describe, expect, it } from 'vitest'
import { decodeCsv, draftFromCsv } from '../../../src/tenancy/index.ts'

const read = (text: string) => draftFromCsv(text, 'company', 'people.csv')

describe('a list of people in CSV', () => {
  it('keeps line breaks and commas in quotes, and counts lines as an editor does', () => {
    const people = 'user,group,name\r\nann,dev1,"Ann\r\nA, B"\r\n'
    expect(read(people).users.get('ann')).toEqual({ name: 'B Ann A' })
    expect(() => read(`${people}\r\n,dev1,Bob\r\n`)).toThrow(
      'file "people.csv" names no user in line 5, column 1',
    )
    expect(() => read('user,group,uid\n"a\n\nnn",dev1,1\nbob,dev1,x\n')).toThrow(
      'file "people.csv" has the uid "x" in line 5, column 10, which is no number',
    )
  })

  it('writes full names as Linux can keep them, and knows columns by other names', () => {
    const { users } = read(
      'Username;Group;Full Name;E-Mail\nm;dev1;Müller, Jörg;j@x\nn;dev1;Dr. A: B, C, D;\n',
    )
    expect(users.get('m')).toEqual({ name: 'Jörg Müller', email: 'j@x' })
    expect(users.get('n')).toEqual({ name: 'Dr. A B C D' })
  })

  it.each([
    ['UTF-8', Buffer.from('user,group,name\nm,dev1,Jörg'), undefined],
    ['UTF-8 with a mark', Buffer.from('\uFEFFuser,group,name\nm,dev1,Jörg'), undefined],
    ['UTF-16', Buffer.from('\uFEFFuser,group,name\nm,dev1,Jörg', 'utf16le'), undefined],
    [
      'UTF-16, the other way round',
      Buffer.from('\uFEFFuser,group,name\nm,dev1,Jörg', 'utf16le').swap16(),
      undefined,
    ],
    ['Windows-1252', Buffer.from('user,group,name\nm,dev1,Jörg', 'latin1'), /no UTF-8/],
  ])('may be saved as %s', (_, bytes, note) => {
    const decoded = decodeCsv(bytes)
    expect(read(decoded.text).users.get('m')).toEqual({ name: 'Jörg' })
    if (note === undefined) expect(decoded.note).toBeUndefined()
    else expect(decoded.note).toMatch(note)
  })

  it('may end its lines as old spreadsheets did', () => {
    expect([...read('user,group\rann,dev1\rbob,dev1').users.keys()]).toEqual(['ann', 'bob'])
  })

  it.each([
    ['user,group,name\nann,dev1,A, B\n', 'has 4 cells in line 2, and 3 columns'],
    ['user,group\n"ann,dev1\nbob,dev1\n', 'opens a quote in line 2, column 1 that nothing closes'],
    ['user,group,user\nann,dev1,bob\n', 'names the column "user" twice'],
  ])('is refused where its cells cannot be told apart: %j', (text, message) => {
    expect(() => read(text)).toThrow(`file "people.csv" ${message}`)
  })
})
