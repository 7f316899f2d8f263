/**
 * What the API server says of rules that could take too long; undefined when `cost` is within `most`. Both are in the
 * cost units of CEL (https://kubernetes.io/docs/reference/using-api/cel/#resource-constraints).
 */
export function costComplaint(what: string, short: string, cost: number, most: number): string | undefined {
  if (cost <= most) return undefined
  const factor = cost / most
  const text =
    factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`
  return `${what} exceeds budget by factor of ${text} (try simplifying the ${short}, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`
}
