/** A moment, as milliseconds since the epoch or a date, the way `metav1.Time` is written: in UTC, to the second. */
export function timestamp(moment: number | Date): string {
  return `${new Date(moment).toISOString().slice(0, 19)}Z`
}

/** The same the way `metav1.MicroTime` is written: with six digits after the second. */
export function microTimestamp(moment: number | Date): string {
  return new Date(moment).toISOString().replace('Z', '000Z')
}
