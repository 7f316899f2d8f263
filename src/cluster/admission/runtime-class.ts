import type { Admission, Admitter } from '../registry/index.ts'
import { podOf } from './pod.ts'
import { refused } from './refusal.ts'

/** Refuses pods that ask for a runtime class: nodes here have one runtime, so there are no classes to name. */
export function runtimeClass(): Admitter {
  return {
    name: 'RuntimeClass',
    mutate(admission: Admission): void {
      if (admission.operation !== 'CREATE') return
      const name = podOf(admission)?.spec?.runtimeClassName
      if (name) throw refused(admission, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`)
    },
  }
}
