import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ProcessFixture } from './process-fixture.ts'

let fixture: ProcessFixture

beforeEach(() => {
  fixture = new ProcessFixture()
})

afterEach(async () => {
  await fixture.close()
})

describe('volumes', () => {
  test('appear at their paths, also where the machine has no such directory', async () => {
    const data = fixture.volume('data')
    writeFileSync(join(data, 'in'), 'content\n')
    for (const target of [
      '/data',
      '/root/code/repo',
      '/opt/ml/input',
      '/usr/share/no-such/place',
      '/etc/config',
    ]) {
      const { output, exit } = await fixture.shell(`cat ${target}/in; echo out > ${target}/out`, {
        mounts: [fixture.mount(data, target)],
      })
      expect([target, output, exit.exitCode]).toEqual([target, 'content\n', 0])
    }
    expect(readFileSync(join(data, 'out'), 'utf8')).toBe('out\n')
  })

  test('mounted for reading cannot be written, nor made writable', async () => {
    const data = fixture.volume('data')
    writeFileSync(join(data, 'in'), 'content\n')
    chmodSync(join(data, 'in'), 0o666)
    const { exit } = await fixture.shell(
      'echo x > /data/in || echo x > /data/new || mount -o remount,rw,bind /data || unshare -Urm sh -c "mount -o remount,rw,bind /data && echo x > /data/in"',
      { mounts: [fixture.mount(data, '/data', { readOnly: true })] },
    )
    expect(exit.exitCode).not.toBe(0)
    expect(readFileSync(join(data, 'in'), 'utf8')).toBe('content\n')
  })

  test('in memory have the size asked for', async () => {
    const { output } = await fixture.run(['df', '--output=size', '-k', '/dev/shm'], {
      mounts: [
        {
          target: '/dev/shm',
          source: { kind: 'memory', sizeBytes: 128 * 1024 * 1024 },
          readOnly: false,
        },
      ],
    })
    expect(output.trim().split('\n').at(-1)?.trim()).toBe(String(128 * 1024))
  })

  test('can be mounted in each other', async () => {
    const outer = fixture.volume('outer')
    const inner = fixture.volume('inner')
    writeFileSync(join(inner, 'file'), 'inner\n')
    const { output } = await fixture.run(['cat', '/job/a/b/file'], {
      mounts: [fixture.mount(inner, '/job/a/b'), fixture.mount(outer, '/job')],
    })
    expect(output).toBe('inner\n')
  })

  test('give a sub path, a single file too, and make a missing one', async () => {
    const data = fixture.volume('data')
    mkdirSync(join(data, 'sub'))
    writeFileSync(join(data, 'sub', 'file'), 'one\n')
    const { output } = await fixture.shell('cat /a/file /etc/one; touch /b/new && echo made', {
      mounts: [
        fixture.mount(data, '/a', { subPath: 'sub' }),
        fixture.mount(data, '/etc/one', { subPath: 'sub/file' }),
        fixture.mount(data, '/b', { subPath: 'fresh/deep' }),
      ],
    })
    expect(output).toBe('one\none\nmade\n')
    expect(existsSync(join(data, 'fresh', 'deep', 'new'))).toBe(true)
  })

  test('never follow a link out of the volume by a sub path', async () => {
    const data = fixture.volume('data')
    const secret = fixture.volume('secret')
    writeFileSync(join(secret, 'key'), 'secret\n')
    symlinkSync(secret, join(data, 'absolute'))
    symlinkSync('../secret', join(data, 'relative'))
    for (const subPath of ['absolute', 'relative', 'relative/key', 'absolute/new']) {
      const { exit, output } = await fixture.run(['ls', '/data'], {
        mounts: [fixture.mount(data, '/data', { subPath })],
      })
      expect(exit.reason).toBe('StartError')
      expect(output).toBe('')
    }
    expect(existsSync(join(secret, 'new'))).toBe(false)
  })

  test('whose mount point is a link in another volume stay inside of the container', async () => {
    const outer = fixture.volume('outer')
    const inner = fixture.volume('inner')
    const victim = fixture.volume('victim')
    symlinkSync(victim, join(outer, 'link'))
    await fixture.run(['true'], {
      mounts: [fixture.mount(outer, '/job'), fixture.mount(inner, '/job/link/deeper')],
    })
    expect(existsSync(join(victim, 'deeper'))).toBe(false)
  })
})
