import { join } from 'node:path'
import { writeWhole } from '../files.ts'
import type { Pki } from './auth/index.ts'

/** Writes the kubeconfig of `kubernetes-admin` for this address. JSON, which is YAML too and quicker to read. */
export async function writeAdminKubeconfig(dataDir: string, url: string, pki: Pki): Promise<string> {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'arena', cluster: { server: url, 'certificate-authority-data': base64(pki.authority) } },
    ],
    users: [
      {
        name: 'kubernetes-admin',
        user: {
          'client-certificate-data': base64(pki.admin.certificate),
          'client-key-data': base64(pki.admin.key),
        },
      },
    ],
    contexts: [{ name: 'admin', context: { cluster: 'arena', user: 'kubernetes-admin' } }],
    'current-context': 'admin',
  }
  const path = join(dataDir, 'admin.kubeconfig')
  await writeWhole(path, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 })
  return path
}
