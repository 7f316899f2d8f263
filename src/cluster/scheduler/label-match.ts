import { type LabelSelectorObject, labelSelectorOf, matchesLabels } from '../../kube/index.ts'

export type Labels = Readonly<Record<string, string>>
export type LabelTest = (labels: Labels) => boolean

/** Turns a label selector into a test. An absent selector matches nothing, an empty one everything. */
export function labelTest(selector: LabelSelectorObject | undefined | null): LabelTest {
  if (selector === undefined || selector === null) return () => false
  const requirements = labelSelectorOf(selector)
  return (labels) => matchesLabels(requirements, labels)
}
