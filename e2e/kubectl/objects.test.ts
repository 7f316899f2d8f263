import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OneNode, startOneNode } from './one-node.ts'

const settings = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { size: '1' } }

describe('kubectl and objects', () => {
  let node: OneNode

  beforeAll(async () => {
    node = await startOneNode()
    await node.apply(settings)
  })

  afterAll(async () => {
    await node.close()
  })

  it.each([
    ['create namespace team', 'namespace/team created'],
    ['create serviceaccount ann -n team', 'serviceaccount/ann created'],
    ['create secret generic key -n team --from-literal=a=b', 'secret/key created'],
    [
      'create role reader -n team --verb=get,list --resource=pods,pods/log',
      'role.rbac.authorization.k8s.io/reader created',
    ],
    [
      'create rolebinding reader -n team --role=reader --serviceaccount=team:ann',
      'rolebinding.rbac.authorization.k8s.io/reader created',
    ],
    ['create quota small -n team --hard=cpu=2,pods=4', 'resourcequota/small created'],
    [
      'create cronjob later -n team --image=busybox --schedule=@yearly -- true',
      'cronjob.batch/later created',
    ],
    ['create pdb two -n team --selector=app=x --min-available=2', 'poddisruptionbudget.policy/two created'],
    ['create priorityclass high --value=9', 'priorityclass.scheduling.k8s.io/high created'],
    ['create service clusterip front -n team --tcp=80:8080', 'service/front created'],
    ['get all -n team', 'cronjob.batch/later'],
    ['get cm -o name', 'configmap/settings'],
    ['get cm settings -o go-template={{.data.size}}', '1'],
    [
      'get cm -o custom-columns=N:.metadata.name --no-headers --sort-by=.metadata.name',
      'kube-root-ca.crt\nsettings',
    ],
    ['get ns,sa -A --chunk-size=1', 'serviceaccount/ann'],
    ['get cm --field-selector metadata.name=settings --show-labels', 'settings   1'],
    ['describe quota small -n team', 'Hard'],
    ['describe ns team', 'Resource Quotas'],
    ['describe node node1', 'Allocated resources'],
    [
      'patch cm settings --type=json -p [{"op":"replace","path":"/data/size","value":"2"}]',
      'configmap/settings patched',
    ],
    ['label cm settings tier=one', 'configmap/settings labeled'],
    ['annotate cm settings why=not', 'configmap/settings annotated'],
    ['set env cronjob/later -n team A=B', 'cronjob.batch/later env updated'],
    ['auth can-i list pods -n team --as system:serviceaccount:team:ann', 'yes'],
    ['auth can-i --list -n team --as system:serviceaccount:team:ann', 'pods/log'],
    ['auth whoami', 'kubernetes-admin'],
    ['explain tfjob.spec.runPolicy --recursive', 'ttlSecondsAfterFinished'],
    ['explain pod.spec.containers', 'FIELDS:'],
    ['api-resources -o name', 'tfjobs.kubeflow.org'],
    ['taint node node1 a=b:NoSchedule', 'node/node1 tainted'],
    ['taint node node1 a-', 'node/node1 untainted'],
    ['cordon node1', 'node/node1 cordoned'],
    ['uncordon node1', 'node/node1 uncordoned'],
    ['wait --for=create cm/settings --timeout=5s', 'configmap/settings condition met'],
    ['events -A', 'LAST SEEN'],
    ['delete ns team', 'namespace "team" deleted'],
  ])('%s', async (line, expected) => {
    expect(await node.must(line)).toContain(expected)
  })

  it('shows what an apply would change, and applies it once', async () => {
    const file = join(node.stage.home('admin'), 'wanted.json')
    await node.must('delete cm settings')
    await node.apply(settings)
    await writeFile(file, JSON.stringify({ ...settings, data: { size: '5' } }))
    const { status, stdout } = await node.kubectl(`diff -f ${file}`)
    expect(status).toBe(1)
    expect(stdout).toMatch(/-  size: "1"\n\+  size: "5"/)
    expect(await node.must(`apply -f ${file} --dry-run=server`)).toContain('configured (server dry run)')
    expect(await node.must(`apply -f ${file}`)).toContain('configured')
    expect(await node.must(`apply -f ${file}`)).toContain('unchanged')
    expect(await node.must(`apply --server-side -f ${file}`)).toContain('serverside-applied')
  })

  it('edits in place and refuses an edit that makes no sense', async () => {
    const editor = join(node.stage.home('admin'), 'editor')
    const edit = async (script: string): Promise<{ status: number; output: string }> => {
      await writeFile(editor, `#!/bin/sh\nexec sed -i '${script}' "$1"\n`)
      await chmod(editor, 0o755)
      return node.stage.run('admin', ['env', `EDITOR=${editor}`, 'kubectl', 'edit', 'cm', 'settings'])
    }
    expect((await edit('s/size: "5"/size: "6"/')).output).toContain('configmap/settings edited')
    const wrong = await edit('s/size: "6"/size: 6/')
    expect(wrong.status).toBe(1)
    expect(wrong.output).toContain('configmaps "settings" is invalid')
  })
})
