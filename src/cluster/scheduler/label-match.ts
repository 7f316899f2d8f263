import {
  type LabelSelectorObject,
  type NodeSelectorTerm,
  labelSelectorOf,
  matchesLabels,
} from '../../kube/index.ts'

export type Labels = Readonly<Record<string, string>>
export type LabelTest = (labels: Labels) => boolean

/** Turns a label selector into a test. An absent selector matches nothing, an empty one everything. */
export function labelTest(selector: LabelSelectorObject | undefined | null): LabelTest {
  if (selector === undefined || selector === null) return () => false
  const requirements = labelSelectorOf(selector)
  return (labels) => matchesLabels(requirements, labels)
}

export type NodeTest = (labels: Labels, nodeName: string) => boolean

/** Tests a node against alternatives of a node selector; an empty list or an empty term matches nothing. */
export function nodeTermsTest(terms: readonly NodeSelectorTerm[]): NodeTest {
  const tests = terms.map(nodeTermTest)
  return (labels, nodeName) => tests.some((test) => test(labels, nodeName))
}

export function nodeTermTest(term: NodeSelectorTerm): NodeTest {
  const expressions = labelSelectorOf({ matchExpressions: term.matchExpressions ?? [] })
  const fields = labelSelectorOf({ matchExpressions: term.matchFields ?? [] })
  if (expressions.length === 0 && fields.length === 0) return () => false
  return (labels, nodeName) =>
    matchesLabels(expressions, labels) &&
    (fields.length === 0 || matchesLabels(fields, { 'metadata.name': nodeName }))
}
