import type { KubeObject } from './object.ts'

/** Annotations that make a storage class the default of those that name none. */
export const defaultStorageClassMarks = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
] as const

/** Name of the newest of the classes that an annotation calls the default; of two of one second, the first by name. */
export function newestMarked(all: Iterable<KubeObject>, marks: readonly string[]): string | undefined {
  const marked = [...all].filter(({ metadata }) =>
    marks.some((mark) => metadata.annotations?.[mark] === 'true'),
  )
  marked.sort((a, b) => {
    const [left, right] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
    if (left !== right) return left < right ? 1 : -1
    return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
  })
  return marked[0]?.metadata.name
}
