import type { Path } from '../position.ts'
import type { Report } from './report.ts'

const reservedNamespaces = new Set(['default', 'arena-system'])
const reservedUsers = new Set(
  // "default" is a service account that every namespace has and nobody owns.
  (
    'default root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc nobody sshd ' +
    'messagebus halt shutdown operator ftp admin'
  ).split(' '),
)
const reservedGroups = new Set(
  (
    'root daemon bin sys adm tty disk lp mail news uucp man proxy kmem dialout fax voice cdrom floppy tape sudo wheel ' +
    'audio dip backup operator list irc src shadow utmp video sasl plugdev staff games users nogroup docker lxd kvm ' +
    'input render crontab ssh admin nobody'
  ).split(' '),
)

// What useradd and Kubernetes (RFC 1123 label) both accept.
const accountName = /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/
const accountNameLength = 32

/** A user's name is a Linux account and a service account; a group's is a Linux group and a namespace. */
export function checkAccountName(report: Report, kind: 'user' | 'group', name: string, path: Path): void {
  const example = kind === 'user' ? 'bob' : 'dev1'
  if (!accountName.test(name)) {
    report({
      path,
      inKey: true,
      message: `${kind} "${name}" has a name that Linux and Kubernetes do not both accept`,
      hint: `use lower case letters, digits and "-", starting with a letter and not ending with "-", as in ${example}`,
    })
  } else if (name.length > accountNameLength) {
    report({
      path,
      inKey: true,
      message: `${kind} "${name}" has a name of ${name.length} characters; Linux allows ${accountNameLength}`,
      hint: 'choose a shorter name',
    })
  } else if (isReserved(kind, name)) {
    report({
      path,
      inKey: true,
      message: `${kind} "${name}" has a name that the system reserves`,
      hint: 'choose another name',
    })
  }
}

function isReserved(kind: 'user' | 'group', name: string): boolean {
  if (kind === 'user') return reservedUsers.has(name)
  return reservedGroups.has(name) || reservedNamespaces.has(name) || name.startsWith('kube-')
}

const label = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/

/** Names of volumes and roles: an RFC 1123 label. */
export function checkLabel(report: Report, what: string, name: string, path: Path): boolean {
  if (label.test(name) && name.length <= 63) return true
  report({
    path,
    inKey: true,
    message: `${what} "${name}" has a name that Kubernetes does not accept`,
    hint: 'use at most 63 lower case letters, digits and "-", starting and ending with a letter or digit',
  })
  return false
}

/** Ids below this belong to the system's own accounts on every Linux. */
const firstFreeId = 1000

export function checkId(report: Report, what: string, id: number, path: Path): void {
  // 65534 is nobody; 65535 is -1 for programs with 16-bit ids.
  if (id >= firstFreeId && id !== 65_534 && id !== 65_535) return
  report({
    path,
    message: `${what} has the id ${id}, which Linux reserves`,
    hint: `use an id from ${firstFreeId} on, other than 65534 and 65535`,
  })
}
