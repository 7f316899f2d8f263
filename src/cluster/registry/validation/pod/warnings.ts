import type { Container, PodSpec } from 'kubernetes-types/core/v1.js'
import { parseQuantity } from '../../../../kube/index.ts'
import { dnsLabel } from '../names.ts'

/** What is accepted though it hardly means what its author thinks. */
export function podSpecWarnings(path: string, spec: PodSpec): string[] {
  const warnings: string[] = []
  for (const field of ['initContainers', 'containers'] as const) {
    for (const [index, container] of (spec[field] ?? []).entries()) {
      warnings.push(...containerWarnings(`${path}.${field}[${index}]`, container))
    }
  }
  for (const [index, { name }] of (spec.imagePullSecrets ?? []).entries()) {
    if (!name) warnings.push(`${path}.imagePullSecrets[${index}].name: invalid empty name ""`)
  }
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    warnings.push(
      `${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
    )
  }
  return warnings
}

function containerWarnings(path: string, { env = [], resources }: Container): string[] {
  const warnings: string[] = []
  const names = new Set<string>()
  for (const [index, { name }] of env.entries()) {
    if (names.has(name)) {
      warnings.push(
        `${path}.env[${index}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
      )
    }
    names.add(name)
  }
  for (const side of ['limits', 'requests'] as const) {
    for (const name of ['memory', 'ephemeral-storage']) {
      const amount = resources?.[side]?.[name]
      if (amount === undefined || parseQuantity(amount).nanos % 1_000_000_000n === 0n) continue
      warnings.push(
        `${path}.resources.${side}[${name}]: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`,
      )
    }
  }
  return warnings
}

/** Pods and hosts are called after the object: `use` says which. */
export function nameWarnings(name: string, use: string): string[] {
  const wrong = dnsLabel(name)
  if (name === '' || wrong.length === 0) return []
  return [
    `metadata.name: this is used in ${use}, which can result in surprising behavior; a DNS label is recommended: [${wrong.join(' ')}]`,
  ]
}
