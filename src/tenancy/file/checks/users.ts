import type { OrgFile } from '../schema.ts'
import { checkAccountName, checkId } from './names.ts'
import { nearest, type Report, reportTakenTwice } from './report.ts'
import { membershipsOf } from '../memberships.ts'

const sshKey = /^(?:(?:ssh|ecdsa|sk)-[-a-z0-9@.]+) [A-Za-z0-9+/]{16,}={0,2}(?: .*)?$/
// $id$salt$hash of crypt(5), any method.
const cryptHash = /^\$[a-z0-9]+\$[^\s:]+$/

export function checkUsers(report: Report, file: OrgFile): void {
  const users = Object.entries(file.users ?? {})
  const groups = file.groups ?? {}
  const groupsOfUser = new Map<string, string[]>()
  for (const [groupName, group] of Object.entries(groups)) {
    for (const member of Object.keys(group.members ?? {})) {
      groupsOfUser.set(member, [...(groupsOfUser.get(member) ?? []), groupName])
    }
  }
  for (const [name, user] of users) {
    const path = ['users', name]
    checkAccountName(report, 'user', name, path)
    checkId(report, `user "${name}"`, user.uid, [...path, 'uid'])
    const memberOf = groupsOfUser.get(name) ?? []
    if (memberOf.length === 0) {
      report({
        path,
        inKey: true,
        message: `user "${name}" is in no group, so there is nowhere for the account to live`,
        hint: `add the user to the members of a group, as in: members: { ${name}: member }`,
      })
    } else if (user.home !== undefined && !memberOf.includes(user.home)) {
      const defined = Object.hasOwn(groups, user.home)
      report({
        path: [...path, 'home'],
        message: defined
          ? `user "${name}" has the home group "${user.home}" without being its member`
          : `user "${name}" has the home group "${user.home}", which is not defined`,
        hint: `use one of: ${memberOf.join(', ')}`,
      })
    }
    for (const [index, key] of (user.sshKeys ?? []).entries()) {
      if (sshKey.test(key)) continue
      report({
        path: [...path, 'sshKeys', index],
        message: `user "${name}" has an SSH key that is no public key`,
        hint: 'give the whole line of the .pub file, as in: ssh-ed25519 AAAA... bob@laptop',
      })
    }
    if (user.passwordHash !== undefined && !cryptHash.test(user.passwordHash)) {
      report({
        path: [...path, 'passwordHash'],
        message: `user "${name}" has a passwordHash that is no hash`,
        hint: 'never write a password here; make a hash with: openssl passwd -6',
      })
    }
    if (user.shell !== undefined && /[:\s]/.test(user.shell)) {
      report({
        path: [...path, 'shell'],
        message: `user "${name}" has the shell "${user.shell}", which is no path`,
      })
    }
    // These fields end up in /etc/passwd, where a colon or a line break would start another field or account.
    if (user.name !== undefined && /[:,\p{Cc}]/u.test(user.name)) {
      report({
        path: [...path, 'name'],
        message: `user "${name}" has a full name with a colon, a comma or a control character`,
        hint: 'Linux keeps the full name in /etc/passwd, which cannot hold these',
      })
    }
  }
  reportTakenTwice(
    report,
    users.map(([name, user]) => ({ id: user.uid, path: ['users', name, 'uid'], what: `user "${name}"` })),
  )
}

/** Every member is a user, with a role that exists. */
export function checkMembers(report: Report, file: OrgFile, roles: ReadonlySet<string>): void {
  const users = file.users ?? {}
  for (const [groupName, group] of Object.entries(file.groups ?? {})) {
    for (const [member, entry] of Object.entries(group.members ?? {})) {
      const path = ['groups', groupName, 'members', member]
      if (!Object.hasOwn(users, member)) {
        const similar = nearest(member, Object.keys(users))
        report({
          path,
          inKey: true,
          message: `group "${groupName}" has the member "${member}", who is not defined under users`,
          hint: similar ? `did you mean "${similar}"?` : `add to users, as in: ${member}: { uid: 20001 }`,
        })
      }
      const seen = new Set<string>()
      for (const { role, at } of membershipsOf(entry)) {
        if (!roles.has(role)) {
          const similar = nearest(role, roles)
          report({
            path: [...path, ...at],
            message: `user "${member}" has the role "${role}" in group "${groupName}", which is not defined`,
            hint: similar
              ? `did you mean "${similar}"?`
              : `use one of: ${[...roles].join(', ')}; or define it under roles`,
          })
        } else if (seen.has(role)) {
          report({
            path: [...path, ...at],
            message: `user "${member}" has the role "${role}" in group "${groupName}" twice`,
          })
        }
        seen.add(role)
      }
    }
  }
}
