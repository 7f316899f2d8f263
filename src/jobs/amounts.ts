import { formatQuantity, type Quantity, quantityOf } from '../kube/index.ts'

const gpu = 'nvidia.com/gpu'

/** A resource as people call it: `GPUs` for `requests.nvidia.com/gpu`. */
export function resourceName(key: string): string {
  const name = key.replace(/^requests\./, '')
  switch (name) {
    case gpu:
      return 'GPUs'
    case 'cpu':
      return 'CPUs'
    case 'limits.cpu':
      return 'CPUs (limit)'
    case 'memory':
      return 'memory'
    case 'limits.memory':
      return 'memory (limit)'
    default:
      return name
  }
}

/** An amount in words: `1 GPU`, `2 CPUs`, `10Gi of memory`. */
export function amountInWords(key: string, amount: Quantity): string {
  const text = formatQuantity(amount)
  const name = resourceName(key)
  if (name.startsWith('memory') || name === 'storage') return `${text} of ${name}`
  const isOne = amount.nanos === quantityOf(1).nanos
  if (name.includes('GPUs') || name.includes('CPUs'))
    return `${text} ${isOne ? name.replace('PUs', 'PU') : name}`
  if (name === 'pods') return `${text} ${isOne ? 'pod' : 'pods'}`
  return `${text} of ${name}`
}

/** `a`, `a and b`, `a, b and c`. */
export function joinWords(words: readonly string[]): string {
  if (words.length <= 1) return words[0] ?? ''
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
