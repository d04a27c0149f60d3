import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { nativeProgram } from '../../../src/agents/codex/native.js'

const targets: Record<string, string> = {
  'linux-x64': 'x86_64-unknown-linux-musl',
  'linux-arm64': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
}
const platform = `${process.platform}-${process.arch}`
const target = targets[platform] ?? 'none'
const own = `codex-${platform}`
const vendor = () => ({ vendor: { [target]: { bin: { codex: '' } } } })
const bin = () => ({ 'codex.js': '#!/usr/bin/env node\n' })

t.test('the script that npm puts in front of the program is left out', { skip: target === 'none' }, async (t) => {
  const dir = t.testdir({
    packages: { node_modules: { '@openai': { codex: { bin: bin() }, [own]: { 'package.json': '{}', ...vendor() } } } },
    beside: { node_modules: { '@openai': { codex: { bin: bin(), ...vendor() } } } },
    bare: { node_modules: { '@openai': { codex: { bin: bin() } } } },
  })
  const program = join('vendor', target, 'bin', 'codex')
  for (const [place, expected] of [
    ['packages', join(dir, 'packages/node_modules/@openai', own, program)],
    ['beside', join(dir, 'beside/node_modules/@openai/codex', program)],
    ['bare', 'codex'],
  ] as const) {
    const links = join(dir, place, 'node_modules', '.bin')
    mkdirSync(links)
    chmodSync(join(links, '../@openai/codex/bin/codex.js'), 0o755)
    symlinkSync('../@openai/codex/bin/codex.js', join(links, 'codex'))
    t.equal(nativeProgram(links, '/'), expected, place)
  }
})

t.test('another program of that name, and none', async (t) => {
  const dir = t.testdir({ codex: '#!/bin/sh\n' })
  t.equal(nativeProgram(dir, '/'), 'codex')
  chmodSync(join(dir, 'codex'), 0o755)
  t.equal(nativeProgram(dir, '/'), 'codex')
})
