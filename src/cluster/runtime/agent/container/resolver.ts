import type { PodSpec } from '../../../../kube/index.ts'

/**
 * The text of a pod's `/etc/resolv.conf` where it is not the machine's own: what its `dnsConfig` says, added to what the
 * machine has unless its policy is `None` (https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/).
 */
export function resolverText(spec: PodSpec, readMachine: () => string): string | undefined {
  const { dnsConfig, dnsPolicy } = spec
  if (dnsConfig === undefined) return undefined
  const base = dnsPolicy === 'None' ? '' : readMachine()
  const nameservers = new Set([...wordsOf(base, 'nameserver'), ...(dnsConfig.nameservers ?? [])])
  const searches = new Set([...wordsOf(base, 'search'), ...(dnsConfig.searches ?? [])])
  const options = new Map(wordsOf(base, 'options').map((word): [string, string] => [nameOf(word), word]))
  for (const { name = '', value } of dnsConfig.options ?? []) {
    options.set(name, value === undefined ? name : `${name}:${value}`)
  }
  return [
    ...(searches.size > 0 ? [`search ${[...searches].join(' ')}`] : []),
    ...[...nameservers].map((address) => `nameserver ${address}`),
    ...(options.size > 0 ? [`options ${[...options.values()].join(' ')}`] : []),
    '',
  ].join('\n')
}

function wordsOf(text: string, keyword: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [first, ...rest] = line.trim().split(/\s+/)
    return first === keyword ? rest : []
  })
}

function nameOf(option: string): string {
  return option.split(':')[0] ?? option
}
