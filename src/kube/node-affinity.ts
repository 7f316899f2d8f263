import type { NodeSelectorTerm, PodSpec } from './kinds.ts'
import { labelSelectorOf, matchesLabels } from './selector.ts'

type Labels = Readonly<Record<string, string>>
/** May it be this node? */
export type NodeTest = (labels: Labels, nodeName: string) => boolean

/** Tests a node against alternatives of a node selector; an empty list or an empty term matches nothing. */
export function nodeTermsTest(terms: readonly NodeSelectorTerm[]): NodeTest {
  const tests = terms.map(nodeTermTest)
  return (labels, nodeName) => tests.some((test) => test(labels, nodeName))
}

/** Tests a node against one alternative: all of its expressions must hold, and an empty one never does. */
export function nodeTermTest(term: NodeSelectorTerm): NodeTest {
  const expressions = labelSelectorOf({ matchExpressions: term.matchExpressions ?? [] })
  const fields = labelSelectorOf({ matchExpressions: term.matchFields ?? [] })
  if (expressions.length === 0 && fields.length === 0) return () => false
  return (labels, nodeName) =>
    matchesLabels(expressions, labels) &&
    (fields.length === 0 || matchesLabels(fields, { 'metadata.name': nodeName }))
}

/** Tests a node against a pod's node selector and required node affinity; undefined where every node will do. */
export function requiredNodes(spec: PodSpec): NodeTest | undefined {
  const wanted = Object.entries(spec.nodeSelector ?? {})
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  if (wanted.length === 0 && terms === undefined) return undefined
  const matchesTerms = terms === undefined ? undefined : nodeTermsTest(terms)
  return (labels, nodeName) => {
    for (const [key, value] of wanted) if (labels[key] !== value) return false
    return matchesTerms === undefined || matchesTerms(labels, nodeName)
  }
}
