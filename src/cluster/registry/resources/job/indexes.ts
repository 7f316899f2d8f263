/** How many indexes a text such as `0-2,5` names, or what is wrong with it; they are below `completions`. */
export function countIndexes(text: string, completions: number): number | { fault: string } {
  if (text === '') return 0
  let count = 0
  let last: number | undefined
  for (const part of text.split(',')) {
    const limits = part.split('-')
    if (limits.length > 2) {
      return {
        fault: `the fragment ${JSON.stringify(part)} violates the requirement that an index interval can have at most two parts separated by '-'`,
      }
    }
    const [from, to = from] = limits.map(wholeNumber)
    const wrong = limits.find((limit) => wholeNumber(limit) === undefined)
    if (from === undefined || to === undefined || wrong !== undefined) {
      return { fault: `cannot convert string to integer for index: ${JSON.stringify(wrong ?? '')}` }
    }
    if (from >= completions) {
      return { fault: `too large index: ${JSON.stringify(limits[0])}` }
    }
    if (to >= completions) {
      return { fault: `too large index: ${JSON.stringify(limits[1])}` }
    }
    if (last !== undefined && last >= from) {
      return { fault: `non-increasing order, previous: ${last}, current: ${from}` }
    }
    if (limits.length === 2 && from >= to) {
      return { fault: `non-increasing order, previous: ${from}, current: ${to}` }
    }
    count += to - from + 1
    last = to
  }
  return count
}

function wholeNumber(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined
}
