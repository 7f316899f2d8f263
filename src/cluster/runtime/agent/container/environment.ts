import type { ConfigMap, Container, EnvVar, Persisted, Secret } from '../../../../kube/index.ts'
import { ContainerRefused } from '../../runtime.ts'
import { fieldValue, type PodFacts, resourceValue } from './downward.ts'

/** Reads config maps and secrets of the pod's namespace; nothing when there is none of that name. */
export interface ContentReader {
  configMap(name: string): Promise<Persisted<ConfigMap> | undefined>
  secret(name: string): Promise<Persisted<Secret> | undefined>
}

export interface EnvironmentContext {
  readonly facts: PodFacts
  readonly reader: ContentReader
  /** Variables about the cluster, which the pod's own override. */
  readonly cluster: Readonly<Record<string, string>>
}

/**
 * The environment that a container asks for, references resolved and `$(NAME)` replaced.
 *
 * @throws {ContainerRefused} `CreateContainerConfigError` when something it must have is not there.
 */
export async function resolveEnvironment(
  container: Container,
  context: EnvironmentContext,
): Promise<Record<string, string>> {
  const environment: Record<string, string> = { ...context.cluster }
  for (const source of container.envFrom ?? []) {
    const prefix = source.prefix ?? ''
    for (const [key, value] of Object.entries(await contentOf(source, context))) {
      // A key such as `tls.crt` can be a variable; one with `=` cannot.
      if (isVariableName(prefix + key)) environment[prefix + key] = value
    }
  }
  for (const variable of container.env ?? []) {
    const value = await variableValue(variable, container, environment, context)
    if (value !== undefined) environment[variable.name] = value
  }
  return environment
}

type Source = NonNullable<Container['envFrom']>[number]

async function contentOf(source: Source, context: EnvironmentContext): Promise<Record<string, string>> {
  if (source.configMapRef !== undefined) {
    const { name = '', optional } = source.configMapRef
    const found = await context.reader.configMap(name)
    if (found === undefined && optional !== true) throw missing('configmap', name)
    return found?.data ?? {}
  }
  if (source.secretRef !== undefined) {
    const { name = '', optional } = source.secretRef
    const found = await context.reader.secret(name)
    if (found === undefined && optional !== true) throw missing('secret', name)
    return Object.fromEntries(Object.entries(found?.data ?? {}).map(([key, value]) => [key, decode(value)]))
  }
  return {}
}

async function variableValue(
  variable: EnvVar,
  container: Container,
  environment: Readonly<Record<string, string>>,
  context: EnvironmentContext,
): Promise<string | undefined> {
  const from = variable.valueFrom
  if (from === undefined) return expand(variable.value ?? '', environment)
  if (from.fieldRef !== undefined) {
    const value = fieldValue(context.facts, from.fieldRef.fieldPath)
    if (value === undefined) throw refused(`unsupported fieldPath: ${from.fieldRef.fieldPath}`)
    return value
  }
  if (from.resourceFieldRef !== undefined) {
    const { containerName } = from.resourceFieldRef
    const spec = context.facts.pod.spec
    const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]
    const other = containerName === undefined ? container : all.find(({ name }) => name === containerName)
    return resourceValue(context.facts, other ?? container, from.resourceFieldRef)
  }
  const namespace = context.facts.pod.metadata.namespace ?? ''
  if (from.configMapKeyRef !== undefined) {
    const { name = '', key, optional } = from.configMapKeyRef
    const found = await context.reader.configMap(name)
    const value = found?.data?.[key]
    if (value !== undefined || optional === true) return value
    if (found === undefined) throw missing('configmap', name)
    throw refused(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`)
  }
  if (from.secretKeyRef !== undefined) {
    const { name = '', key, optional } = from.secretKeyRef
    const found = await context.reader.secret(name)
    const value = found?.data?.[key]
    if (value !== undefined) return decode(value)
    if (optional === true) return undefined
    if (found === undefined) throw missing('secret', name)
    throw refused(`couldn't find key ${key} in Secret ${namespace}/${name}`)
  }
  return ''
}

/**
 * Replaces `$(NAME)` by the variable's value. `$$` is a dollar sign; what names no variable stays as it is.
 * (https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/)
 */
export function expand(text: string, environment: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (match, name: string | undefined) => {
    if (match === '$$') return '$'
    return name !== undefined && Object.hasOwn(environment, name) ? (environment[name] ?? match) : match
  })
}

function isVariableName(name: string): boolean {
  return name !== '' && !name.includes('=') && !name.includes('\0')
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8')
}

function missing(kind: string, name: string): ContainerRefused {
  return refused(`${kind} "${name}" not found`)
}

function refused(message: string): ContainerRefused {
  return new ContainerRefused('CreateContainerConfigError', message)
}
