import { type Fault, invalidValue } from '../../registry/index.ts'

export type Level = 'privileged' | 'baseline' | 'restricted'

/** A Pod Security level as of a Kubernetes minor version; `latest` is the newest there is. */
export interface Standard {
  readonly level: Level
  readonly version: number | 'latest'
}

/** What a namespace asks for, mode by mode. */
export interface NamespacePolicy {
  readonly enforce: Standard
  readonly audit: Standard
  readonly warn: Standard
  readonly faults: readonly Fault[]
}

const prefix = 'pod-security.kubernetes.io/'
const levels: readonly Level[] = ['privileged', 'baseline', 'restricted']
const anythingGoes: NamespacePolicy = {
  enforce: { level: 'privileged', version: 'latest' },
  audit: { level: 'privileged', version: 'latest' },
  warn: { level: 'privileged', version: 'latest' },
  faults: [],
}

/** `restricted:latest`, `baseline:v1.30`. */
export function nameOfStandard({ level, version }: Standard): string {
  return `${level}:${version === 'latest' ? version : `v1.${version}`}`
}

/** Reads the labels of a namespace (https://kubernetes.io/docs/concepts/security/pod-security-admission/). */
export function policyOf(labels: Readonly<Record<string, string>> | undefined): NamespacePolicy {
  if (labels === undefined || !hasLabel(labels)) return anythingGoes
  const faults: Fault[] = []
  const read = (mode: string, onFault: Level): Standard => {
    const level = labels[prefix + mode]
    const version = labels[`${prefix}${mode}-version`]
    return {
      level: level === undefined ? 'privileged' : readLevel(mode, level, onFault),
      version: version === undefined ? 'latest' : readVersion(mode, version),
    }
  }
  const readLevel = (mode: string, value: string, onFault: Level): Level => {
    const level = levels.find((one) => one === value)
    if (level === undefined) {
      faults.push(
        invalidValue(`metadata.labels[${prefix}${mode}]`, value, `must be one of ${levels.join(', ')}`),
      )
    }
    return level ?? onFault
  }
  const readVersion = (mode: string, value: string): Standard['version'] => {
    if (value === 'latest') return value
    const minor = /^v1\.([0-9]|[1-9][0-9]*)$/.exec(value)?.[1]
    if (minor !== undefined) return Number(minor)
    faults.push(
      invalidValue(`metadata.labels[${prefix}${mode}-version]`, value, 'must be "latest" or "v1.x"'),
    )
    return 'latest'
  }
  // A label that cannot be read must not open the namespace: it enforces the strictest level.
  return {
    enforce: read('enforce', 'restricted'),
    audit: read('audit', 'privileged'),
    warn: read('warn', 'privileged'),
    faults,
  }
}

function hasLabel(labels: Readonly<Record<string, string>>): boolean {
  for (const key in labels) if (key.startsWith(prefix)) return true
  return false
}

/** Negative when `a` is less strict than `b`. */
export function compareLevels(a: Level, b: Level): number {
  return levels.indexOf(a) - levels.indexOf(b)
}
