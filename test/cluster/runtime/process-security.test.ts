import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Container } from '../../../src/cluster/runtime/runtime.ts'
import { isRoot, ProcessFixture } from './process-fixture.ts'

/**
 * Each attempt is a script that prints BREACH when it has got through. A script that fails in any other way is fine:
 * what counts is that nobody gets through.
 */
interface Attempt {
  readonly title: string
  readonly script: (at: Places) => string
}

interface Places {
  readonly dataDirectory: string
  readonly volume: string
  readonly otherPodUid: string
  readonly victimPid: number
  readonly victimFirst: number
  readonly serverPid: number
}

const breach = (command: string): string => `if ${command}; then echo BREACH; fi`

const attempts: Attempt[] = [
  { title: "list the home of the machine's root", script: () => breach('ls -A /root | grep -qv "^$"') },
  {
    title: "read root's ssh keys",
    script: () => breach('cat /root/.ssh/* /root/.bashrc 2>/dev/null | grep -q .'),
  },
  { title: 'see the homes of users', script: () => breach('ls -A /home | grep -q .') },
  { title: "read the machine's password hashes", script: () => breach('cat /etc/shadow') },
  { title: "read the machine's host keys", script: () => breach('ls /etc/ssh') },
  {
    title: "read a machine's kubeconfig",
    script: () => breach('ls /etc/kubernetes /etc/rancher 2>/dev/null'),
  },
  { title: "enter the cluster's data directory", script: (at) => breach(`ls ${at.dataDirectory}`) },
  { title: 'read the admin kubeconfig', script: (at) => breach(`cat ${at.dataDirectory}/admin.kubeconfig`) },
  {
    title: "list other pods' directories",
    script: (at) => breach(`ls ${at.dataDirectory}/pods/${at.otherPodUid}`),
  },
  {
    title: "read another pod's log",
    script: (at) => breach(`cat ${at.dataDirectory}/pods/*/containers/*/*.log`),
  },
  {
    title: "see the machine's temporary files",
    script: () => breach('ls -A /tmp /var/tmp | grep -qv ":\\|^$"'),
  },
  { title: "see the machine's sockets", script: () => breach('find /run /var/run/ -type s | grep -q .') },
  {
    title: "see the machine's processes",
    script: (at) => breach(`test -e /proc/${at.serverPid}/cmdline -a "$(ls -d /proc/[0-9]* | wc -l)" -gt 8`),
  },
  {
    title: 'kill a process of another pod of the same user',
    script: (at) => breach(`kill -9 ${at.victimPid}`),
  },
  { title: 'kill the first process of another pod', script: (at) => breach(`kill -9 ${at.victimFirst}`) },
  { title: 'kill the server', script: (at) => breach(`kill -0 ${at.serverPid}`) },
  {
    title: 'reach the real root through process 1',
    script: () => breach('ls /proc/1/root/etc/shadow /proc/1/root/root/.bashrc'),
  },
  { title: "read process 1's environment", script: () => breach('cat /proc/1/environ | grep -q .') },
  { title: "read process 1's memory", script: () => breach('head -c1 /proc/1/mem') },
  { title: "use process 1's open files", script: () => breach('ls /proc/1/fd/') },
  {
    title: 'climb out of the root by ..',
    script: (at) => breach(`ls ../../../../../../../..${at.dataDirectory} /..${at.dataDirectory}`),
  },
  {
    title: 'find the old root below the present one',
    script: () => breach('umount / 2>/dev/null || umount -l /root 2>/dev/null || umount /proc'),
  },
  { title: 'mount a file system', script: () => breach('mount -t tmpfs none /tmp') },
  { title: 'make the read-only volume writable', script: () => breach('mount -o remount,rw,bind /ro') },
  { title: 'write to the read-only volume', script: () => breach('echo x > /ro/file') },
  { title: 'create in the read-only volume', script: () => breach('touch /ro/new') },
  { title: 'remove from the read-only volume', script: () => breach('rm -f /ro/file') },
  {
    title: 'make the read-only volume writable in a user namespace',
    script: () => breach('unshare -Urm sh -c "mount -o remount,rw,bind /ro && echo x > /ro/file"'),
  },
  {
    title: 'unmount what hides things in a user namespace',
    script: () => breach('unshare -Urm sh -c "umount /proc/keys || umount /dev || umount /root"'),
  },
  { title: "change the machine's programs", script: () => breach('touch /usr/bin/planted') },
  {
    title: "change the machine's configuration",
    script: () => breach('echo x >> /etc/hosts || touch /etc/planted'),
  },
  {
    title: 'use a disk of the machine',
    script: () => breach('ls /dev | grep -qE "^(vd|sd|nvme|loop|mem|kmsg|kvm)"'),
  },
  { title: 'make a device node', script: () => breach('mknod /tmp/disk b 254 0 || mknod /root/mem c 1 1') },
  { title: 'change a setting of the kernel', script: () => breach('echo 1 > /proc/sys/kernel/hostname') },
  { title: 'ask the kernel for a reboot', script: () => breach('echo b > /proc/sysrq-trigger') },
  {
    title: 'become another user',
    script: () => breach('setpriv --reuid=0 true || setpriv --reuid=20002 true'),
  },
  {
    title: 'become root by a set-user-id program',
    script: () => breach('su -c true </dev/null || sudo -n true'),
  },
  {
    title: 'take a capability',
    script: () => breach('setpriv --ambient-caps +sys_admin --inh-caps +sys_admin true'),
  },
  { title: 'give a file away', script: () => breach('touch /tmp/f && chown 0 /tmp/f') },
  { title: 'change the host name', script: () => breach('hostname evil') },
  { title: 'enter a namespace of the machine', script: () => breach('nsenter -t 1 -m -- ls /root/.bashrc') },
  {
    title: 'raise its own limits in the control group',
    script: () => breach('ls /sys/fs/cgroup/memory/arena || echo 0 > /sys/fs/cgroup/cgroup.procs'),
  },
  {
    title: 'write to a device of the machine by sysfs',
    script: () => breach('find /sys -writable -type f 2>/dev/null | grep -q .'),
  },
  { title: "trace another pod's process", script: (at) => breach(`cat /proc/${at.victimPid}/maps`) },
]

describe.runIf(isRoot)('a container of user 20001 cannot', () => {
  let fixture: ProcessFixture
  let other: Container
  let places: Places

  beforeAll(async () => {
    fixture = new ProcessFixture()
    writeFileSync(join(fixture.dataDirectory, 'admin.kubeconfig'), 'secret', { mode: 0o644 })
    const volume = fixture.volume('read-only')
    writeFileSync(join(volume, 'file'), 'as it was\n')
    chmodSync(join(volume, 'file'), 0o666)
    other = await fixture.start(['sh', '-c', 'echo up; exec sleep 600'], {
      key: { podUid: `${fixture.podUid.slice(0, -1)}x`, container: 'main', attempt: 0 },
    })
    const state = JSON.parse(
      readFileSync(
        join(fixture.dataDirectory, 'pods', other.key.podUid, 'containers/main/0/state.json'),
        'utf8',
      ),
    ) as { first: number }
    const children = readFileSync(`/proc/${state.first}/task/${state.first}/children`, 'utf8')
    places = {
      dataDirectory: fixture.dataDirectory,
      volume,
      otherPodUid: other.key.podUid,
      victimPid: Number(children.trim().split(' ')[0]),
      victimFirst: state.first,
      serverPid: process.pid,
    }
  })

  afterAll(async () => {
    await other.stop(0)
    await fixture.runtime.remove(other.key.podUid)
    await fixture.close()
  })

  test.each(attempts)('$title', async ({ script }) => {
    const { output } = await fixture.shell(script(places), {
      mounts: [fixture.mount(places.volume, '/ro', { readOnly: true })],
      limits: { memoryBytes: 256 << 20 },
    })
    expect(output).not.toContain('BREACH')
  })

  test('hide a success from this test', async () => {
    const { output } = await fixture.shell(breach('ls /ro/file'), {
      mounts: [fixture.mount(places.volume, '/ro', { readOnly: true })],
    })
    expect(output).toContain('BREACH')
  })

  test('do harm by any of these: the victim lives, the file is as it was', () => {
    expect(other.exit).toBeUndefined()
    expect(readFileSync(join(places.volume, 'file'), 'utf8')).toBe('as it was\n')
    expect(existsSync('/usr/bin/planted')).toBe(false)
    expect(existsSync('/etc/planted')).toBe(false)
  })
})

describe.runIf(isRoot)('root of this machine', () => {
  test.each([
    { title: 'as user', identity: { uid: 0, gid: 10001, groups: [] } },
    { title: 'as group', identity: { uid: 20001, gid: 0, groups: [] } },
    { title: 'as a supplementary group', identity: { uid: 20001, gid: 10001, groups: [5000, 0] } },
  ])('is refused $title', async ({ identity }) => {
    const fixture = new ProcessFixture()
    try {
      await expect(fixture.start(['true'], { identity })).rejects.toMatchObject({
        reason: 'CreateContainerConfigError',
        message: expect.stringContaining('allowRoot'),
      })
    } finally {
      await fixture.close()
    }
  })

  test('can be allowed, and then has neither all capabilities nor a way to the data directory', async () => {
    const fixture = new ProcessFixture({ allowRoot: true })
    try {
      const script = `id -u; grep CapEff /proc/self/status; ls ${fixture.dataDirectory} || mount -t tmpfs none /mnt || mknod /root/disk b 254 0 || cat /etc/shadow || echo contained`
      const { output } = await fixture.shell(script, { identity: { uid: 0, gid: 0, groups: [] } })
      expect(output).toMatch(/^0\nCapEff:\s00000000a00425fb\n/)
      expect(output).toContain('contained\n')
    } finally {
      await fixture.close()
    }
  })
})

describe.runIf(isRoot)('the data directory inside of a software directory', () => {
  test('is hidden there', async () => {
    const software = '/usr/local/share/arena-test-software'
    const fixture = new ProcessFixture()
    mkdirSync(join(software, 'data'), { recursive: true })
    writeFileSync(join(software, 'data', 'secret'), 'x')
    try {
      const { ProcessRuntime } = await import('../../../src/cluster/runtime/process/process-runtime.ts')
      const runtime = new ProcessRuntime({ dataDirectory: join(software, 'data') })
      const container = await runtime.start(fixture.spec(['ls', '-A', join(software, 'data')]))
      const exit = await container.exited
      expect(exit.exitCode).not.toBe(0)
      await runtime.remove(container.key.podUid)
    } finally {
      execFileSync('rm', ['-rf', software])
      await fixture.close()
    }
  })
})
