import type { Node } from './syntax.ts'
import type { Type } from './types.ts'

/** Macros that do something for every element of their target. */
const loops = new Set([
  'all',
  'exists',
  'exists_one',
  'existsOne',
  'map',
  'filter',
  'transformList',
  'transformMap',
  'transformMapEntry',
])
/** Methods that go through the whole text. */
const traversals = new Set([
  'contains',
  'matches',
  'find',
  'findAll',
  'indexOf',
  'lastIndexOf',
  'lowerAscii',
  'upperAscii',
  'replace',
  'split',
  'substring',
  'trim',
])
/** Steps of a turn of a loop beside its body. */
const turn = 3

/**
 * The most work an expression can be, from what is known of the sizes of its parts. Meant to tell rules that are hopeless
 * from all others, so it counts what is not known as small.
 */
export function estimateCost(node: Node, types: ReadonlyMap<Node, Type>): number {
  const sizeOf = (one: Node): number => types.get(one)?.max ?? 0
  const cost = (one: Node): number => {
    switch (one.op) {
      case 'value':
        return 0
      case 'id':
        return 1
      case '.':
      case '.?':
        return 1 + cost(one.args[0])
      case '!_':
      case '-_':
        return 1 + cost(one.args)
      case 'list':
        return 10 + total(one.args)
      case 'map':
        return 30 + total(one.args.flat())
      case '?:':
        return cost(one.args[0]) + Math.max(cost(one.args[1]), cost(one.args[2]))
      case 'call':
        return 1 + total(one.args[1])
      case 'rcall':
        return method(one.args)
      case '==':
      case '!=':
      case '<':
      case '<=':
      case '>':
      case '>=': {
        const [left, right] = one.args
        return 1 + Math.min(sizeOf(left), sizeOf(right)) / 10 + total(one.args)
      }
      case '||':
      case '&&': {
        // Chains are long and lean to the left: walk them instead of descending.
        let [sum, rest]: [number, Node] = [0, one]
        while (rest.op === one.op) {
          const [left, right] = rest.args as readonly [Node, Node]
          sum += 1 + cost(right)
          rest = left
        }
        return sum + cost(rest)
      }
      case 'in':
        return 1 + sizeOf(one.args[1]) + total(one.args)
      default:
        return 1 + total(one.args)
    }
  }
  const total = (parts: readonly Node[]): number => parts.reduce((sum, part) => sum + cost(part), 0)
  const method = ([name, target, args]: readonly [string, Node, readonly Node[]]): number => {
    if (loops.has(name) && args[0]?.op === 'id') {
      return cost(target) + sizeOf(target) * (turn + total(args.slice(1)))
    }
    if (name === 'bind') return total(args.slice(1))
    const isWalked = types.get(target)?.kind === 'string' && traversals.has(name)
    const factor = name === 'matches' ? Math.max(1, sizeOf(args[0] ?? target) / 4) : 1
    return 1 + cost(target) + total(args) + (isWalked ? (sizeOf(target) / 10) * factor : 0)
  }
  return cost(node)
}
