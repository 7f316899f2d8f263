import type { ResourceDefinition, Subresource, VirtualResource } from './resource.ts'

/** What a path names: a stored kind or a computed one. */
export type Served =
  | { readonly stored: ResourceDefinition; readonly virtual?: undefined }
  | { readonly virtual: VirtualResource; readonly stored?: undefined }

/** Everything the server serves, built in and custom, by group, version and plural. */
export class Catalog {
  readonly #builtin: readonly ResourceDefinition[]
  readonly #virtual: readonly VirtualResource[]
  readonly #subresources: readonly Subresource[]
  readonly #custom = new Map<string, readonly ResourceDefinition[]>()
  /** Of each custom kind that somebody watches: aborted when it is served no more. */
  readonly #withdrawn = new Map<string, AbortController>()
  readonly #byPath = new Map<string, Served>()
  readonly #subresourceByPath = new Map<string, Subresource>()
  #version = 0
  #waiting: (() => void)[] = []

  constructor(parts: {
    readonly builtin: readonly ResourceDefinition[]
    readonly virtual: readonly VirtualResource[]
    readonly subresources: readonly Subresource[]
  }) {
    this.#builtin = parts.builtin
    this.#virtual = parts.virtual
    this.#subresources = parts.subresources
    for (const one of parts.subresources)
      this.#subresourceByPath.set(`${one.group}/${one.parent}/${one.name}`, one)
    this.#index()
  }

  /** Grows with every change of the set; for caches of discovery and OpenAPI. */
  get version(): number {
    return this.#version
  }

  find(group: string, version: string, plural: string): Served | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`)
  }

  subresource(group: string, plural: string, name: string): Subresource | undefined {
    return this.#subresourceByPath.get(`${group}/${plural}/${name}`)
  }

  /** All stored kinds, every served version. */
  definitions(): ResourceDefinition[] {
    return [...this.#builtin, ...[...this.#custom.values()].flat()]
  }

  virtualResources(): readonly VirtualResource[] {
    return this.#virtual
  }

  subresources(): readonly Subresource[] {
    return this.#subresources
  }

  /** The definition through which objects of `group/plural` are stored. */
  storedDefinition(resource: string): ResourceDefinition | undefined {
    return this.definitions().find((one) => `${one.group}/${one.plural}` === resource)
  }

  /** Resolves when a kind is served; at once when it is already. */
  async whenServed(group: string, version: string, plural: string): Promise<void> {
    while (!this.find(group, version, plural))
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
  }

  /** Serves the versions of one CRD, replacing what it served before; an empty list ends it. */
  serveCustom(name: string, definitions: readonly ResourceDefinition[]): void {
    if (definitions.length === 0) this.#custom.delete(name)
    else this.#custom.set(name, definitions)
    this.#index()
    for (const [path, withdrawn] of this.#withdrawn)
      if (!this.#byPath.has(path)) {
        this.#withdrawn.delete(path)
        withdrawn.abort()
      }
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** Aborted when a custom kind is no longer served in its version; undefined for built-in kinds, which stay. */
  whileServed({ group, version, plural, isCustom }: ResourceDefinition): AbortSignal | undefined {
    if (!isCustom) return undefined
    const path = `${group}/${version}/${plural}`
    const withdrawn = this.#withdrawn.get(path) ?? new AbortController()
    this.#withdrawn.set(path, withdrawn)
    return withdrawn.signal
  }

  #index(): void {
    this.#version++
    this.#byPath.clear()
    for (const stored of this.definitions())
      this.#byPath.set(`${stored.group}/${stored.version}/${stored.plural}`, { stored })
    for (const virtual of this.#virtual)
      this.#byPath.set(`${virtual.group}/${virtual.version}/${virtual.plural}`, { virtual })
  }
}
