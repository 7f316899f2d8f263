import { generateKeyPairSync } from 'node:crypto'

/** A key as the cluster makes it, for tests that sign. */
export const tokenKey = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ format: 'pem', type: 'pkcs8' })
  .toString()
