import type { NodeSelector } from 'kubernetes-types/core/v1.js'

/** The types of `resource.k8s.io/v1`, as far as they are looked at; younger than the typed API this program is built with. */
export interface Toleration {
  readonly key?: string
  operator?: string
  readonly value?: string
  readonly effect?: string
}

export interface Selector {
  readonly cel?: { readonly expression: string }
}

/** What all requests say of the devices that they want. */
export interface Wish {
  readonly deviceClassName?: string
  readonly selectors?: readonly Selector[]
  allocationMode?: string
  count?: number
  readonly tolerations?: readonly Toleration[]
}

export interface Request {
  readonly name: string
  readonly exactly?: Wish
  readonly firstAvailable?: readonly (Wish & { readonly name: string })[]
}

export interface Configuration {
  readonly requests?: readonly string[]
  readonly opaque?: { readonly driver: string; readonly parameters?: unknown }
}

export interface Constraint {
  readonly requests?: readonly string[]
  readonly matchAttribute?: string
  readonly distinctAttribute?: string
}

export interface ClaimSpec {
  readonly devices?: {
    readonly requests?: readonly Request[]
    readonly constraints?: readonly Constraint[]
    readonly config?: readonly Configuration[]
  }
}

export interface GivenDevice {
  readonly request: string
  readonly driver: string
  readonly pool: string
  readonly device: string
}

export interface ClaimStatus {
  readonly allocation?: {
    readonly devices?: {
      readonly results?: readonly GivenDevice[]
      readonly config?: readonly (Configuration & { readonly source?: string })[]
    }
    readonly nodeSelector?: NodeSelector
  }
  readonly devices?: readonly Omit<GivenDevice, 'request'>[]
  readonly reservedFor?: readonly {
    readonly resource?: string
    readonly name?: string
    readonly uid?: string
  }[]
}

export interface ResourceClaim {
  readonly spec: ClaimSpec
  readonly status?: ClaimStatus
}

export interface ResourceClaimTemplate {
  readonly spec: {
    readonly metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }
    readonly spec: ClaimSpec
  }
}

export interface DeviceClass {
  readonly spec: {
    readonly selectors?: readonly Selector[]
    readonly config?: readonly Configuration[]
    readonly extendedResourceName?: string
  }
}

export interface Attribute {
  readonly bool?: boolean
  readonly int?: number
  readonly string?: string
  readonly version?: string
}

interface Counters {
  readonly counters?: Readonly<Record<string, unknown>>
}

/** Which nodes have access. */
export interface Access {
  readonly nodeName?: string
  readonly nodeSelector?: NodeSelector
  readonly allNodes?: boolean
}

export interface Device extends Access {
  readonly name: string
  readonly attributes?: Readonly<Record<string, Attribute>>
  readonly capacity?: Readonly<Record<string, { readonly requestPolicy?: unknown }>>
  readonly consumesCounters?: readonly (Counters & { readonly counterSet?: string })[]
  readonly taints?: readonly { readonly key?: string; readonly value?: string; readonly effect?: string }[]
  readonly allowMultipleAllocations?: boolean
}

export interface ResourceSlice {
  readonly spec: Access & {
    readonly driver: string
    readonly pool: { readonly name: string; readonly generation: number; readonly resourceSliceCount: number }
    readonly perDeviceNodeSelection?: boolean
    readonly devices?: readonly Device[]
    readonly sharedCounters?: readonly (Counters & { readonly name?: string })[]
  }
}
