// Writes the field numbers of Kubernetes' protobuf messages to src/cluster/registry/schema/generated/protobuf-fields.ts.
// Their source is a kubectl of version 1.32 to 1.34, which carries the descriptors of all messages:
//
//   node scripts/generate-protobuf-fields.mjs "$(readlink -f "$(which kubectl)")"
//
// A message is written as one text, fields separated by blanks: number:name:type. Types are s (string), y (bytes),
// i (integer), b (boolean), d (double) or the name of a message; * before it means repeated, % a map from strings.
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const groups = [
  'admissionregistration',
  'apps',
  'authentication',
  'authorization',
  'autoscaling',
  'batch',
  'certificates',
  'coordination',
  'core',
  'discovery',
  'events',
  'flowcontrol',
  'networking',
  'node',
  'policy',
  'rbac',
  'scheduling',
  'storage',
]
const packages = new Map([
  ...groups.map((group) => [`k8s.io.api.${group}.v1`, `${group}.v1`]),
  ['k8s.io.api.autoscaling.v2', 'autoscaling.v2'],
  ['k8s.io.apimachinery.pkg.apis.meta.v1', 'meta.v1'],
  ['k8s.io.apimachinery.pkg.api.resource', 'resource'],
  ['k8s.io.apimachinery.pkg.util.intstr', 'intstr'],
  ['k8s.io.apimachinery.pkg.runtime', 'runtime'],
])
/** Messages that were in another version at the time, with the fields that they have now. */
const younger = {
  'admissionregistration.v1alpha1':
    'ApplyConfiguration JSONPatch MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingAdmissionPolicyBindingSpec MutatingAdmissionPolicySpec Mutation',
  'networking.v1beta1':
    'IPAddress IPAddressSpec ParentReference ServiceCIDR ServiceCIDRSpec ServiceCIDRStatus',
  'storage.v1beta1': 'VolumeAttributesClass',
}
const scalars = { 1: 'd', 3: 'i', 4: 'i', 5: 'i', 8: 'b', 9: 's', 12: 'y', 13: 'i' }

/** Two messages spell a field as Go does. */
const jsonName = (name) => (name === 'Webhooks' ? 'webhooks' : name)

const [binary] = process.argv.slice(2)
if (!binary) throw new Error('name the kubectl binary to read')
const messages = {}
for (const descriptor of descriptors(readFileSync(binary))) {
  const file = fieldsOf(descriptor)
  const name = text(file.get(2))
  if (packages.has(name)) for (const message of file.get(4) ?? []) addMessage(`.${name}`, message)
  const wanted = younger[name.replace('k8s.io.api.', '')]?.split(' ') ?? []
  for (const message of file.get(4) ?? [])
    if (wanted.includes(text(fieldsOf(message).get(1))))
      addMessage(`.${name.replace(/v1\w+$/, 'v1')}`, message)
}
const sorted = Object.fromEntries(Object.entries(messages).sort(([a], [b]) => (a < b ? -1 : 1)))
const target = new URL('../src/cluster/registry/schema/generated/protobuf-fields.ts', import.meta.url)
writeFileSync(
  target,
  `// Written by scripts/generate-protobuf-fields.mjs; see there for the form.\nexport const protobufFields: Readonly<Record<string, string>> = ${JSON.stringify(sorted, undefined, 1)}\n`,
)
process.stdout.write(`${Object.keys(sorted).length} messages\n`)

function addMessage(scope, bytes) {
  const message = fieldsOf(bytes)
  const full = `${scope}.${text(message.get(1))}`
  const maps = new Map()
  for (const nested of message.get(3) ?? []) {
    const entry = fieldsOf(nested)
    const value = (entry.get(2) ?? []).map(fieldsOf).find((field) => number(field.get(3)) === 2)
    maps.set(`${full}.${text(entry.get(1))}`, typeOf(value))
  }
  messages[short(full)] = (message.get(2) ?? [])
    .map(fieldsOf)
    .map((field) => {
      const isRepeated = number(field.get(4)) === 3
      const map = maps.get(typeName(field))
      const type = map !== undefined ? `%${map}` : `${isRepeated ? '*' : ''}${typeOf(field)}`
      return `${number(field.get(3))}:${jsonName(text(field.get(1)))}:${type}`
    })
    .join(' ')
}

function typeOf(field) {
  const type = number(field.get(5))
  if (type === 11) return short(typeName(field))
  if (!scalars[type]) throw new Error(`field ${text(field.get(1))} has a type that is not known: ${type}`)
  return scalars[type]
}

/** Messages of versions before v1 are in v1 here, with the same fields. The descriptors of certificates name them so themselves. */
function typeName(field) {
  return text(field.get(6)).replace(
    /\.(admissionregistration|certificates|networking|storage)\.v1(alpha|beta)\d\./,
    '.$1.v1.',
  )
}

/** `.k8s.io.api.core.v1.Pod` as `core.v1.Pod`. */
function short(full) {
  const dot = full.lastIndexOf('.')
  return `${packages.get(full.slice(1, dot)) ?? full.slice(1, dot)}.${full.slice(dot + 1)}`
}

/** The file descriptors in a Go binary: each compressed by itself. */
function* descriptors(bytes) {
  const seen = new Set()
  for (
    let at = bytes.indexOf('\x1f\x8b\x08', 0, 'latin1');
    at >= 0;
    at = bytes.indexOf('\x1f\x8b\x08', at + 3, 'latin1')
  ) {
    let plain
    try {
      plain = gunzipSync(bytes.subarray(at, at + 200_000), { finishFlush: 2 })
    } catch {
      continue // Not the beginning of something compressed.
    }
    const name = plain.subarray(2, 2 + (plain[1] ?? 0)).toString('latin1')
    if (plain[0] !== 10 || !name.endsWith('.proto') || seen.has(name)) continue
    seen.add(name)
    yield plain
  }
}

function fieldsOf(bytes) {
  const fields = new Map()
  let at = 0
  const varint = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    let value
    if ((tag & 7) === 0) value = varint()
    else if ((tag & 7) === 2) {
      const length = varint()
      value = bytes.subarray(at, at + length)
      at += length
    } else if ((tag & 7) === 1) at += 8
    else if ((tag & 7) === 5) at += 4
    const number = Math.floor(tag / 8)
    fields.set(number, [...(fields.get(number) ?? []), value])
  }
  return fields
}

function text(values) {
  return values?.[0] ? Buffer.from(values[0]).toString('utf8') : ''
}

function number(values) {
  return values?.[0] ?? 0
}
