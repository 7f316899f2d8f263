import { labelValueFaults } from '../../../kube/index.ts'
import { builtinRoles } from '../../org.ts'
import { membershipsOf } from '../memberships.ts'
import type { OrgFile } from '../schema.ts'
import { checkGroups } from './groups.ts'
import type { Report } from './report.ts'
import { checkRoles } from './roles.ts'
import { checkMembers, checkUsers } from './users.ts'
import { checkVolumes } from './volumes.ts'

/** Reports everything that the form of a file alone cannot show to be wrong. */
export function checkOrgFile(report: Report, file: OrgFile): void {
  if (labelValueFaults(file.organisation).length > 0) {
    report({
      path: ['organisation'],
      message: `organisation "${file.organisation}" has a name that Kubernetes does not accept as a label`,
      hint: 'use at most 63 letters, digits, "-", "_" and ".", starting and ending with a letter or digit',
    })
  }
  checkUsers(report, file)
  checkGroups(report, file)
  checkRoles(report, file)
  checkMembers(report, file, new Set([...builtinRoles, ...Object.keys(file.roles ?? {})]))
  checkVolumes(report, file)
  checkDates(report, file)
}

function checkDates(report: Report, file: OrgFile): void {
  const dates: { path: (string | number)[]; until: string }[] = []
  for (const [group, { members }] of Object.entries(file.groups ?? {})) {
    for (const [member, entry] of Object.entries(members ?? {})) {
      for (const { until, at } of membershipsOf(entry)) {
        if (until === undefined) continue
        dates.push({ path: ['groups', group, 'members', member, ...at.slice(0, -1), 'until'], until })
      }
    }
  }
  for (const [volume, { access }] of Object.entries(file.volumes ?? {})) {
    for (const [group, grant] of Object.entries(access)) {
      if (typeof grant === 'string' || grant.until === undefined) continue
      dates.push({ path: ['volumes', volume, 'access', group, 'until'], until: grant.until })
    }
  }
  for (const { path, until } of dates) {
    // 2027-02-30 has the right form, but Date moves it into March.
    const day = new Date(`${until}T00:00:00Z`)
    if (!Number.isNaN(day.getTime()) && day.toISOString().startsWith(until)) continue
    report({ path, message: `"${until}" is no day of the calendar`, hint: 'write a date such as 2027-03-31' })
  }
}
