import { array, assert, integer, nat, property, tuple } from 'fast-check'
import { expect, test } from 'vitest'
import { jsonOfProtobuf } from '../../../src/cluster/http/protobuf.ts'
import { StatusError } from '../../../src/kube/index.ts'

/** Bodies as kubectl 1.32 sends them. */
const sent = {
  secret: 'azhzAAoMCgJ2MRIGU2VjcmV0Eh8KEwoBcxIAGgJ0MSIAKgAyADgAQgASBgoBYRIBYhoAGgAiAA==',
  budget:
    'azhzAAogCglwb2xpY3kvdjESE1BvZERpc3J1cHRpb25CdWRnZXQSOAoTCgFwEgAaAnQxIgAqADIAOABCABIVCgkIARAAGgM1MCUSCAoGCgFhEgFiGgoIABgAIAAoADAAGgAiAA==',
  quota:
    'azhzAAoTCgJ2MRINUmVzb3VyY2VRdW90YRJGChMKAXESABoCdDEiACoAMgA4AEIAEi0KCwoEcG9kcxIDCgEwCh4KF3JlcXVlc3RzLm52aWRpYS5jb20vZ3B1EgMKATEaABoAIgA=',
  token:
    'azhzAAooChhhdXRoZW50aWNhdGlvbi5rOHMuaW8vdjESDFRva2VuUmVxdWVzdBIdChAKABIAGgAiACoAMgA4AEIAEgMgkBwaBAoAEgAaACIA',
  job: 'azhzAAoPCghiYXRjaC92MRIDSm9iEo0BChMKAWoSABoCdDEiACoAMgA4AEIAEmwyagoQCgASABoAIgAqADIAOABCABJWEjMKAWoSB2J1c3lib3gaAnNoGgItYxoJZWNobyAiw7wiKgBCAGoAcgCAAQCIAQCQAQCiAQAaBU5ldmVyMgBCAEoAUgBYAGAAaACCAQCKAQCaAQDCAQAaCCAAKAAwADoAGgAiAA==',
}

function translated(body: string): unknown {
  return JSON.parse(jsonOfProtobuf(Buffer.from(body, 'base64')))
}

test('objects are read with their kind, without the empty texts and zeros that Go sends', () => {
  expect(translated(sent.secret)).toEqual({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', namespace: 't1' },
    data: { a: 'Yg==' },
  })
})

test('percentages, quantities and limits of zero survive', () => {
  expect(translated(sent.budget)).toMatchObject({
    spec: { minAvailable: '50%', selector: { matchLabels: { a: 'b' } } },
  })
  expect(translated(sent.quota)).toMatchObject({
    spec: { hard: { pods: '0', 'requests.nvidia.com/gpu': '1' } },
  })
})

test('a token request keeps its lifetime', () => {
  expect(translated(sent.token)).toMatchObject({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 3600 },
  })
})

test('a pod template keeps the command to the letter', () => {
  expect(translated(sent.job)).toMatchObject({
    spec: {
      template: {
        spec: {
          containers: [{ name: 'j', image: 'busybox', command: ['sh', '-c', 'echo "ü"'] }],
          restartPolicy: 'Never',
        },
      },
    },
  })
})

test('no body is no body', () => {
  expect(jsonOfProtobuf(Buffer.alloc(0))).toBe('')
})

test('other bytes, and kinds that nobody knows, are refused', () => {
  expect(() => jsonOfProtobuf(Buffer.from('{}'))).toThrow('does not appear to be a protobuf message')
  const unknown = Buffer.from(sent.secret, 'base64').toString('latin1').replace('Secret', 'Secrex')
  expect(() => jsonOfProtobuf(Buffer.from(unknown, 'latin1'))).toThrow('not understood in protobuf')
})

test('whatever bytes come, the answer is a message or a refusal', () => {
  const whole = Buffer.from(sent.job, 'base64')
  assert(
    property(
      array(tuple(nat(whole.length - 1), integer({ min: 0, max: 255 })), { maxLength: 8 }),
      nat(whole.length),
      (changes, length) => {
        const bytes = Buffer.from(whole)
        for (const [at, value] of changes) bytes[at] = value
        try {
          JSON.parse(jsonOfProtobuf(bytes.subarray(0, length)) || 'null')
        } catch (error) {
          expect(error).toBeInstanceOf(StatusError)
        }
      },
    ),
  )
})
