import { X509Certificate } from 'node:crypto'
import * as v from 'valibot'
import { UserError } from '../../../errors.ts'
import { duplicate, type Fault, forbiddenField, invalidValue, required } from '../../registry/index.ts'
import { compileRules, type Rules } from './rules.ts'

const text = v.optional(v.string(), '')
const mappingSchema = v.strictObject({ claim: text, prefix: v.optional(v.string()), expression: text })

const jwtSchema = v.strictObject({
  issuer: v.strictObject({
    url: text,
    discoveryURL: text,
    certificateAuthority: text,
    audiences: v.optional(v.array(v.string()), []),
    audienceMatchPolicy: text,
    egressSelectorType: text,
  }),
  claimValidationRules: v.optional(
    v.array(v.strictObject({ claim: text, requiredValue: text, expression: text, message: text })),
    [],
  ),
  claimMappings: v.optional(
    v.strictObject({
      username: v.optional(mappingSchema, {}),
      groups: v.optional(mappingSchema, {}),
      uid: v.optional(v.strictObject({ claim: text, expression: text }), {}),
      extra: v.optional(v.array(v.strictObject({ key: text, valueExpression: text })), []),
    }),
    {},
  ),
  userValidationRules: v.optional(v.array(v.strictObject({ expression: text, message: text })), []),
})

const configurationSchema = v.strictObject({
  apiVersion: v.picklist([
    'apiserver.config.k8s.io/v1',
    'apiserver.config.k8s.io/v1beta1',
    'apiserver.config.k8s.io/v1alpha1',
  ]),
  kind: v.literal('AuthenticationConfiguration'),
  jwt: v.optional(v.array(jwtSchema), []),
  anonymous: v.optional(v.unknown()),
})

/** One issuer of tokens, as the file has it. */
export type JwtEntry = v.InferOutput<typeof jwtSchema>

/** One issuer of tokens, ready: where its keys are, whom its tokens are for, and whom they make of their bearers. */
export interface IssuerSettings {
  readonly url: string
  /** Where its keys are described, when that is not below `url`. */
  readonly discoveryUrl: string | undefined
  /** PEM. The machine's own roots when left out. */
  readonly certificateAuthority: string | undefined
  readonly audiences: readonly string[]
  readonly rules: Rules
}

const mostIssuers = 64

/**
 * Reads an `AuthenticationConfiguration` (https://kubernetes.io/docs/reference/config-api/apiserver-config.v1/), with the
 * checks and in the words of Kubernetes.
 *
 * @param ownIssuer what the API server calls itself in the tokens that it makes
 * @throws {UserError} `CONFIG_INVALID` naming every fault.
 */
export async function parseAuthentication(
  source: string,
  file: string,
  ownIssuer: string,
): Promise<readonly IssuerSettings[]> {
  const { load } = await import('js-yaml')
  let value: unknown
  try {
    value = load(source)
  } catch (cause) {
    throw faulty(file, [`it is no YAML: ${cause instanceof Error ? cause.message : String(cause)}`], cause)
  }
  const result = v.safeParse(configurationSchema, value)
  if (!result.success) {
    throw faulty(
      file,
      result.issues.map((issue) => `${v.getDotPath(issue) ?? 'file'}: ${issue.message}`),
    )
  }
  const { jwt, anonymous } = result.output
  const faults: Fault[] = []
  if (jwt.length > mostIssuers) {
    throw faulty(file, [`jwt: Too many: ${jwt.length}: must have at most ${mostIssuers} items`])
  }
  const settings = jwt.map((entry, at) => issuerOf(entry, `jwt[${at}]`, ownIssuer, faults))
  faults.push(
    ...repeated(
      jwt.map(({ issuer }) => issuer.url),
      'url',
    ),
  )
  faults.push(
    ...repeated(
      jwt.map(({ issuer }) => issuer.discoveryURL),
      'discoveryURL',
    ),
  )
  if (anonymous !== undefined) {
    const why = 'this cluster answers requests without credentials as system:anonymous, and RBAC decides'
    faults.push(forbiddenField('anonymous', why))
  }
  if (faults.length === 0) return settings
  throw faulty(
    file,
    faults.map((fault) => `${fault.field}: ${fault.message}`),
  )
}

function faulty(file: string, faults: readonly string[], cause?: unknown): UserError {
  return new UserError(
    'CONFIG_INVALID',
    `the authentication configuration "${file}" has faults:\n  ${faults.join('\n  ')}`,
    {
      hint: 'see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-authentication-configuration',
      cause,
    },
  )
}

function repeated(urls: readonly string[], field: string): Fault[] {
  return urls.flatMap((url, at) =>
    url !== '' && urls.indexOf(url) < at ? [duplicate(`jwt[${at}].issuer.${field}`, url)] : [],
  )
}

function issuerOf(entry: JwtEntry, path: string, ownIssuer: string, faults: Fault[]): IssuerSettings {
  const { issuer } = entry
  const at = `${path}.issuer`
  if (issuer.url === '') faults.push(required(`${at}.url`))
  else faults.push(...urlFaults(issuer.url, `${at}.url`, [ownIssuer]))
  if (issuer.discoveryURL !== '') {
    if (withoutSlash(issuer.url) === withoutSlash(issuer.discoveryURL)) {
      const why = 'discoveryURL must be different from URL'
      faults.push(invalidValue(`${at}.discoveryURL`, issuer.discoveryURL, why))
    }
    faults.push(...urlFaults(issuer.discoveryURL, `${at}.discoveryURL`, []))
  }
  faults.push(...audienceFaults(issuer, at))
  if (issuer.certificateAuthority !== '' && !isCertificate(issuer.certificateAuthority)) {
    const why = 'data does not contain any valid RSA or ECDSA certificates'
    faults.push(invalidValue(`${at}.certificateAuthority`, '<omitted>', why))
  }
  if (issuer.egressSelectorType !== '') {
    const why = 'this cluster has no egress selectors: it asks issuers directly'
    faults.push(invalidValue(`${at}.egressSelectorType`, issuer.egressSelectorType, why))
  }
  return {
    url: issuer.url,
    discoveryUrl: issuer.discoveryURL || undefined,
    certificateAuthority: issuer.certificateAuthority || undefined,
    audiences: issuer.audiences,
    rules: compileRules(entry, path, faults),
  }
}

function urlFaults(url: string, path: string, disallowed: readonly string[]): Fault[] {
  const faults: Fault[] = []
  const wrong = (why: string): void => void faults.push(invalidValue(path, url, why))
  if (disallowed.includes(url)) {
    wrong(`URL must not overlap with disallowed issuers: [${disallowed.join(' ')}]`)
  }
  if (!URL.canParse(url)) {
    wrong('URL scheme must be https')
    return faults
  }
  const { protocol, username, password, search, hash } = new URL(url)
  if (protocol !== 'https:') wrong('URL scheme must be https')
  if (username !== '' || password !== '') wrong('URL must not contain a username or password')
  if (search !== '') wrong('URL must not contain a query')
  if (hash !== '') wrong('URL must not contain a fragment')
  return faults
}

function audienceFaults({ audiences, audienceMatchPolicy }: JwtEntry['issuer'], at: string): Fault[] {
  const path = `${at}.audiences`
  if (audiences.length === 0) return [required(path, `at least one ${path} is required`)]
  const faults = audiences.flatMap((audience, index) => {
    if (audience === '') return [required(`${path}[${index}]`)]
    return audiences.indexOf(audience) < index ? [duplicate(`${path}[${index}]`, audience)] : []
  })
  const isSeveral = audiences.length > 1
  if (audienceMatchPolicy === 'MatchAny' || (!isSeveral && audienceMatchPolicy === '')) return faults
  const why = isSeveral
    ? 'audienceMatchPolicy must be MatchAny for multiple audiences'
    : 'audienceMatchPolicy must be empty or MatchAny for single audience'
  return [...faults, invalidValue(`${at}.audienceMatchPolicy`, audienceMatchPolicy, why)]
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false
    throw error
  }
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '')
