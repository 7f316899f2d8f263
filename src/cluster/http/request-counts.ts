import type { Target } from './target.ts'

const verbs: Readonly<Record<string, string>> = {
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
}

/** How many requests were answered, told at `/metrics` in Prometheus' text format under Kubernetes' names. */
export class RequestCounts {
  readonly #counts = new Map<string, number>()

  add(method: string, target: Target, code: number): void {
    const labels = labelsOf(method, target, code)
    this.#counts.set(labels, (this.#counts.get(labels) ?? 0) + 1)
  }

  /** The text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/). */
  text(): string {
    const name = 'apiserver_request_total'
    const lines = [
      `# HELP ${name} Counter of apiserver requests broken out for each verb, group, version, resource, scope, component, and HTTP response code.`,
      `# TYPE ${name} counter`,
    ]
    for (const [labels, count] of [...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
      lines.push(`${name}{${labels}} ${count}`)
    const seconds = process.uptime()
    lines.push(
      '# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.',
      '# TYPE process_start_time_seconds gauge',
      `process_start_time_seconds ${(Date.now() / 1000 - seconds).toFixed(3)}`,
      '# HELP process_resident_memory_bytes Resident memory size in bytes.',
      '# TYPE process_resident_memory_bytes gauge',
      `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
    )
    return `${lines.join('\n')}\n`
  }
}

/** Only what is served gets a line of its own: whoever makes names up must not make the table grow. */
function labelsOf(method: string, { resource }: Target, code: number): string {
  const head = `code="${code}",component="apiserver",dry_run=""`
  if (!resource || code === 404 || code === 403 || code === 401)
    return `${head},group="",resource="",scope="",subresource="",verb="${knownMethods.has(method) ? method : 'other'}",version=""`
  const scope = resource.name ? 'resource' : resource.namespace ? 'namespace' : 'cluster'
  const { group, version, plural, subresource = '', verb } = resource
  return `${head},group="${group}",resource="${plural}",scope="${scope}",subresource="${subresource}",verb="${verbs[verb] ?? verb}",version="${version}"`
}

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
