import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { waitForJob } from './guide/jobs.ts'
import { type Person, repositoryRoot, setStage, type Stage } from './guide/stage.ts'

/**
 * What bob must not be able to do with anything of tom's, or beyond his own group: through `arena`, and with his kubeconfig through
 * `kubectl` and plain API paths. POD stands for the pod of tom's job.
 */
const attempts: readonly string[] = [
  'arena list -n dev2',
  'arena list -A',
  'arena get toms -n dev2',
  'arena logs toms -n dev2',
  'arena delete toms -n dev2',
  'arena data list -n dev2',
  'arena quota -n dev2',
  'arena top job -n dev2',
  'arena submit tf --name=intruder --image=busybox --chief-cpu=1 --chief-memory=1Gi -n dev2 true',
  'kubectl get tfjobs -n dev2',
  'kubectl get tfjobs -A',
  'kubectl get tfjob toms -n dev2 -o yaml',
  'kubectl delete tfjob toms -n dev2',
  'kubectl patch tfjob toms -n dev2 --type merge -p {"spec":{"runPolicy":{"suspend":true}}}',
  'kubectl label tfjob toms -n dev2 mine=yes',
  'kubectl get pods -n dev2',
  'kubectl get pods -A',
  'kubectl get pod POD -n dev2 -o yaml',
  'kubectl logs POD -n dev2',
  'kubectl exec POD -n dev2 -- id',
  'kubectl attach POD -n dev2',
  'kubectl port-forward pod/POD -n dev2 0:2222',
  'kubectl cp dev2/POD:/etc/hostname ./stolen',
  'kubectl delete pod POD -n dev2',
  'kubectl delete pods --all -n dev2',
  'kubectl annotate pod POD -n dev2 a=b',
  'kubectl top pods -n dev2',
  'kubectl top pods -A',
  'kubectl top pod POD -n dev2',
  'kubectl top nodes',
  'kubectl get events -n dev2',
  'kubectl get pvc -n dev2',
  'kubectl delete pvc dev2-public -n dev2',
  'kubectl get pv',
  'kubectl delete pv dev2-public',
  'kubectl get secrets -n dev2',
  'kubectl get secrets -n dev1',
  'kubectl get secrets -A',
  'kubectl get configmaps -n dev2',
  'kubectl get resourcequota -n dev2',
  'kubectl delete resourcequota dev1-compute-resources -n dev1',
  'kubectl patch resourcequota dev1-compute-resources -n dev1 --type merge -p {"spec":{"hard":{"requests.nvidia.com/gpu":"9"}}}',
  'kubectl create --raw /api/v1/namespaces/dev2/serviceaccounts/tom/token -f token.json',
  'kubectl create --raw /api/v1/namespaces/dev1/serviceaccounts/default/token -f token.json',
  'kubectl get serviceaccount tom -n dev2',
  'kubectl create rolebinding more --clusterrole=cluster-admin --serviceaccount=dev1:bob -n dev1',
  'kubectl create clusterrolebinding more --clusterrole=cluster-admin --serviceaccount=dev1:bob',
  'kubectl get tfjobs -n dev2 --as system:serviceaccount:dev2:tom',
  'kubectl get pods -n dev2 --as-group system:masters --as root',
  'kubectl delete namespace dev2',
  'kubectl label namespace dev1 pod-security.kubernetes.io/enforce=privileged --overwrite',
  'kubectl patch node worker01 -p {"spec":{"unschedulable":true}}',
  'kubectl delete node worker01',
  'kubectl get all -n dev2',
  'kubectl get hpa -n dev2',
  'kubectl autoscale replicaset toms --max=9 -n dev2',
  'kubectl create deployment intruder --image=busybox -n dev2',
  'kubectl debug POD -n dev2 --image=busybox -it=false -- id',
  'kubectl patch pod POD -n dev2 --subresource resize --type merge -p {"spec":{"containers":[]}}',
  'kubectl get certificatesigningrequests',
  'kubectl certificate approve toms',
  'kubectl get --raw /api/v1/pods',
  'kubectl get --raw /api/v1/namespaces/dev2/pods/POD/log',
  'kubectl get --raw /api/v1/namespaces/dev2/pods/POD:2222/proxy/',
  'kubectl get --raw /api/v1/namespaces/dev2/services/http:toms:2222/proxy/',
  'kubectl get --raw /apis/kubeflow.org/v1/namespaces/dev2/tfjobs/toms',
  'kubectl get --raw /apis/metrics.k8s.io/v1beta1/namespaces/dev2/pods/POD',
  'kubectl get --raw /api/v1/namespaces/dev1/../dev2/pods',
]

describe("bob and what is tom's", () => {
  let stage: Stage
  let pod: string
  const stop = new AbortController()

  const run = (person: Person, line: string): ReturnType<Stage['run']> =>
    stage.run(person, line.replaceAll('POD', pod).split(' '))

  beforeAll(async () => {
    stage = await setStage()
    pod = ''
    await run('admin', 'arena cluster start --config cluster.yaml --detach')
    await copyFile(join(repositoryRoot, 'examples/guide/org.yaml'), join(stage.home('admin'), 'org.yaml'))
    expect((await run('admin', 'arena org apply --yes')).status).toBe(0)
    for (const person of ['bob', 'tom'] as const) {
      await mkdir(join(stage.home(person), '.kube'), { recursive: true })
      const words = [
        'arena',
        'user',
        'kubeconfig',
        person,
        '--static',
        '-o',
        join(stage.home(person), '.kube/config'),
      ]
      expect((await stage.run('admin', words)).status).toBe(0)
    }
    await writeFile(
      join(stage.home('bob'), 'token.json'),
      '{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}',
    )
    const submit = 'arena submit tf --name=toms --gpus=1 --image=busybox --chief-cpu=1 --chief-memory=1Gi'
    const submitted = await stage.run('tom', [...submit.split(' '), 'sleep 600'])
    expect(submitted.status, submitted.output).toBe(0)
    await waitForJob(stage, 'tom', 'toms', ['RUNNING'], { timeoutMs: 30_000, signal: stop.signal })
    pod = (await run('tom', 'kubectl get pods -o jsonpath={.items[0].metadata.name}')).stdout
    expect(pod).not.toBe('')
  })

  afterAll(async () => {
    stop.abort()
    await stage.close()
  })

  it.each(attempts)('refuses bob: %s', async (line) => {
    const { status, output } = await run('bob', line)
    expect(status, output).not.toBe(0)
    // The server says no; what fails for another reason proves nothing.
    expect(output).toMatch(/forbidden|cannot|not allowed|may not|does not exist|could not find/i)
    expect(output).not.toMatch(/connection refused|unknown (flag|command)|Unauthorized/)
  })

  it('leaves what was attacked as it was', async () => {
    const { stdout } = await run(
      'tom',
      'kubectl get tfjob toms -o jsonpath={.metadata.labels.mine}{.spec.runPolicy.suspend}',
    )
    expect(stdout).toBe('')
    expect((await run('tom', 'arena list')).stdout).toContain('RUNNING')
    const { stdout: quota } = await run(
      'admin',
      'kubectl get resourcequota -n dev1 -o jsonpath={.items[0].spec.hard}',
    )
    expect(quota).toBe('{"requests.nvidia.com/gpu":"1"}')
  })

  it("lets bob do the same with what is bob's", async () => {
    const submit = 'arena submit tf --name=own --image=busybox --gpus=1'
    const submitted = await stage.run('bob', [...submit.split(' '), 'id -u; sleep 600'])
    expect(submitted.status, submitted.output).toBe(0)
    await waitForJob(stage, 'bob', 'own', ['RUNNING'], { timeoutMs: 30_000, signal: stop.signal })
    const own = (await run('bob', 'kubectl get pods -o jsonpath={.items[0].metadata.name}')).stdout
    await expect
      .poll(async () => (await run('bob', `kubectl logs ${own}`)).stdout.trim(), { timeout: 10_000 })
      .toBe(process.getuid?.() === 0 ? '20001' : String(process.getuid?.()))
    const all = await run('bob', 'kubectl get all')
    expect(all.output).not.toMatch(/forbidden/i)
    expect(all.stdout).toContain(`pod/${own}`)
    await expect
      .poll(async () => (await run('bob', 'kubectl top pods --no-headers')).stdout, { timeout: 10_000 })
      .toMatch(new RegExp(`^${own} `))
    expect((await run('bob', 'arena delete own')).status).toBe(0)
  })
})
