/** What spreadsheets and directories call the columns, in lower case. */
const otherNames: Readonly<Record<string, string>> = {
  username: 'user',
  login: 'user',
  account: 'user',
  'full name': 'name',
  'display name': 'name',
  'e-mail': 'email',
  mail: 'email',
  'e-mail address': 'email',
  'email address': 'email',
}

/** The name by which a column is known here. */
export function columnNamed(header: string): string {
  const name = header.trim().toLowerCase()
  return otherNames[name] ?? name
}

/**
 * The text of a file as spreadsheets save it: UTF-8, UTF-16 with its mark, or what is no UTF-8 and then Windows' Western
 * code page.
 */
export function decodeCsv(bytes: Uint8Array): { readonly text: string; readonly note?: string } {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return { text: new TextDecoder('utf-16le').decode(bytes) }
  if (first === 0xfe && second === 0xff) return { text: new TextDecoder('utf-16be').decode(bytes) }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const note = 'is no UTF-8 and was read as Windows-1252: see that names are right'
    return { text: new TextDecoder('windows-1252').decode(bytes), note }
  }
}

/**
 * A full name as Linux can keep it: `Müller, Jörg` is `Jörg Müller`, and what else has commas, colons or line breaks is
 * written without.
 */
export function fullNameOf(text: string): string {
  const turned = text.replace(/^([^,:]+),([^,:]+)$/, '$2 $1')
  return turned
    .replaceAll(/[:,\p{Cc}]/gu, ' ')
    .replaceAll(/ {2,}/g, ' ')
    .trim()
}
