import { compareQuantities, parseQuantity, qualifiedNameFaults } from '../../../kube/index.ts'
import { isWholeNumbered, quotaKeys } from '../quota-keys.ts'
import type { OrgFile } from '../schema.ts'
import { checkAccountName, checkId } from './names.ts'
import { nearest, type Report, reportTakenTwice } from './report.ts'

export function checkGroups(report: Report, file: OrgFile): void {
  const groups = Object.entries(file.groups ?? {})
  if (groups.length === 0) {
    report({
      path: ['groups'],
      message: `organisation "${file.organisation}" has no groups`,
      hint: 'add one, as in: groups: { dev1: { gid: 10001 } }',
    })
  }
  for (const [name, group] of groups) {
    const path = ['groups', name]
    checkAccountName(report, 'group', name, path)
    checkId(report, `group "${name}"`, group.gid, [...path, 'gid'])
    if (group.visibility === 'own') {
      report({
        path: [...path, 'visibility'],
        message: `group "${name}" has visibility "own", which this version cannot set up`,
        hint: 'leave visibility out: members then see the jobs of their group, and only their own group',
      })
    }
    const keys = new Map<string, string>()
    for (const [key, value] of Object.entries(group.quota ?? {})) {
      checkQuota(report, name, key, value)
      for (const written of quotaKeys(key)) {
        const other = keys.get(written)
        if (other !== undefined) {
          report({
            path: [...path, 'quota', key],
            inKey: true,
            message: `group "${name}" limits ${written} twice, by "${other}" and by "${key}"`,
            hint: 'keep one of the two',
          })
        }
        keys.set(written, key)
      }
    }
  }
  reportTakenTwice(
    report,
    groups.map(([name, group]) => ({
      id: group.gid,
      path: ['groups', name, 'gid'],
      what: `group "${name}"`,
    })),
  )
}

// Kubernetes accepts unknown plain names in a quota and then never counts them: a slip would limit nothing.
const plainKeys = new Set(
  (
    'gpu cpu memory storage pods jobs services secrets configmaps replicationcontrollers persistentvolumeclaims ' +
    'resourcequotas ephemeral-storage'
  ).split(' '),
)

function checkQuota(report: Report, group: string, key: string, value: string | number): void {
  const path = ['groups', group, 'quota', key]
  const faults =
    key.includes('/') || key.includes('.') ? qualifiedNameFaults(key.replace(/^count\//, '')) : []
  if (faults.length > 0 || (!key.includes('/') && !key.includes('.') && !plainKeys.has(key))) {
    const similar = nearest(key, plainKeys)
    report({
      path,
      inKey: true,
      message: `group "${group}" has the quota key "${key}", which Kubernetes does not know`,
      hint: similar
        ? `did you mean "${similar}"?`
        : 'use gpu, cpu, memory, storage, pods, jobs, or a full key such as requests.example.com/fpga or count/secrets',
    })
    return
  }
  const fault = quantityFault(value)
  if (fault !== undefined) {
    report({
      path,
      message: `group "${group}" has the quota ${key} "${value}", which ${fault}`,
      hint: `write a number, as in: ${key}: ${key === 'memory' || key === 'storage' ? '60Gi' : '8'}`,
    })
  } else if (isWholeNumbered(key) && parseQuantity(value).nanos % 1_000_000_000n !== 0n) {
    report({ path, message: `group "${group}" has the quota ${key} "${value}", which is no whole number` })
  }
}

/** Says what is wrong with an amount, if anything. */
export function quantityFault(value: string | number): string | undefined {
  try {
    return compareQuantities(parseQuantity(value), '0') < 0 ? 'is negative' : undefined
  } catch (error) {
    if (error instanceof Error && error.name === 'QuantityError') return 'is no quantity'
    throw error
  }
}
