/** Younger than the typed API this program is built with. */
interface RestartRule {
  readonly exitCodes?: { readonly operator?: string; readonly values?: readonly number[] }
}

/** When a container is to run again. */
export interface RestartWish {
  readonly policy: string | undefined
  /** Exit codes after which it does whatever the policy says. */
  readonly rules: readonly RestartRule[]
}

/**
 * What a container says for itself, else what its pod says
 * (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restart-rules).
 */
export function restartWish(
  podPolicy: string | undefined,
  manifest: { readonly restartPolicy?: string; readonly restartPolicyRules?: readonly RestartRule[] } = {},
): RestartWish {
  const { restartPolicy, restartPolicyRules = [] } = manifest
  if (restartPolicy === undefined) return { policy: podPolicy, rules: [] }
  return { policy: restartPolicy, rules: restartPolicyRules }
}

/** Is a container that has ended so to run again? */
export function wantsRestart({ policy, rules }: RestartWish, exitCode: number): boolean {
  const isNamed = rules.some(({ exitCodes: { operator, values = [] } = {} }) => {
    const isListed = values.includes(exitCode)
    return operator === 'NotIn' ? !isListed : isListed
  })
  return isNamed || (policy !== 'Never' && (policy !== 'OnFailure' || exitCode !== 0))
}
