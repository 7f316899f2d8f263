import {
  type CertificateSigningRequest,
  type EventRecorder,
  isStatus,
  type KubeClient,
  type KubeObject,
  type ReconcileResult,
  runReconciler,
  type SharedInformers,
  type WorkQueue,
} from '../../kube/index.ts'
import type { ServedResources } from './served-resources.ts'

/** What only the wiring of the cluster can give to controllers. */
export interface ControllerSettings {
  /** The certificate authority of the API server (PEM), published in every namespace. */
  readonly rootCertificate?: string
  /** Makes the token of a `kubernetes.io/service-account-token` secret; token secrets stay empty when left out. */
  readonly mintToken?: (account: KubeObject, secretName: string) => Promise<string>
  /** Issues what an approved certificate signing request asks for; nothing is signed when left out. */
  readonly signRequest?: (
    request: CertificateSigningRequest['spec'],
  ) => Promise<{ readonly certificate: string } | { readonly failure: string } | undefined>
  /** Finds what cannot be right about a policy's expressions, given the kinds they are about. */
  readonly policyWarnings?: (
    policy: KubeObject,
  ) => readonly { readonly fieldRef: string; readonly warning: string }[]
  /** Events older than this are removed; one hour when left out. */
  readonly eventLifetimeMs?: number
  /** So often all quotas are counted anew; every five minutes when left out. */
  readonly quotaResyncMs?: number
}

/** What a controller works with. */
export interface ControllerContext {
  /** Acts as the controller's own account. */
  readonly client: KubeClient
  /** Acts as `system:kube-controller-manager`: for caches alone. */
  readonly reader: KubeClient
  readonly informers: SharedInformers
  readonly served: ServedResources
  readonly recorder: EventRecorder
  readonly settings: ControllerSettings
  readonly signal: AbortSignal
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Told of failures that will be retried. */
  readonly onError: (error: unknown) => void
}

/**
 * One loop that brings the cluster's state to what objects ask for; one file each, listed in `table.ts`. A pure API
 * client: it may run beside any Kubernetes.
 */
export interface Controller {
  /** As Kubernetes calls it: its service account in `kube-system` and its cluster role bear that name. */
  readonly name: string
  /** Runs as another controller's account, or as `system:kube-controller-manager` itself. */
  readonly actsAs?: string
  /** Works until the signal aborts; settles when the work in hand is done. */
  run(context: ControllerContext): Promise<void>
}

/** The account of controllers that Kubernetes runs without one of their own. */
export const managerAccount = 'kube-controller-manager'

/** Works through the queue; conflicts and objects gone meanwhile are part of life and only retried. */
export function reconcile(
  context: ControllerContext,
  queue: WorkQueue,
  work: (key: string) => Promise<ReconcileResult>,
  concurrency = 2,
): Promise<void> {
  return runReconciler(queue, {
    signal: context.signal,
    concurrency,
    reconcile: work,
    onError: (_key, error) => {
      if (!isExpectedRace(error) && !(error instanceof TryAgain)) context.onError(error)
    },
  })
}

/** The work is to be tried again after a growing while; whoever has to know why has been told. */
export class TryAgain extends Error {
  constructor(cause: unknown) {
    super('to be tried again', { cause })
    this.name = 'TryAgain'
  }
}

/** Somebody else was faster; looking again sorts it out. */
export function isExpectedRace(error: unknown): boolean {
  return isStatus(error, 'Conflict') || isStatus(error, 'NotFound') || isStatus(error, 'AlreadyExists')
}

/** Runs a request whose object may be gone by now: undefined then. */
export async function unlessGone<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request
  } catch (error) {
    if (isStatus(error, 'NotFound')) return undefined
    throw error
  }
}
