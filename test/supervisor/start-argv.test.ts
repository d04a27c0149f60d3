import t from 'tap'
import { homePaths } from '../../src/base/paths.js'
import type { Spec } from '../../src/session/spec.js'
import { startArgv, unitName } from '../../src/supervisor/systemd.js'

const id = '0123456789ab'
const spec: Spec = {
  ...{ sessionId: id, agentType: 'claude', prompt: 'p', title: 't', workingDir: '/w', restart: 'resume' },
  ...{ umask: '0022', createdAt: '2026-01-01T00:00:00.000Z' },
}
const plain = {
  node: '/usr/bin/node',
  cli: '/x/cli.cjs',
  daemon: '/opt/daemon.js',
  reaper: '/opt/reap.js',
  chat: '/opt/chat.js',
  units: '/opt/units',
  keeper: '/pkg/units/keep-session.sh',
}
const property = (argv: string[], name: string) =>
  argv.filter((word) => word.startsWith(`--property=${name}=`)).map((word) => word.slice(`--property=${name}=`.length))

t.test('it is pure', async (t) => {
  const frozen = Object.freeze({ ...spec, limits: Object.freeze({ memory: '4G' }) })
  const home = Object.freeze(homePaths('/home/.agentz'))
  t.same(startArgv(frozen, home, plain), startArgv(frozen, home, plain))
})

t.test('argv that the whole machine may read tells the id, and nothing that a person typed', async (t) => {
  const secret = 'SECRET; rm -rf / --property=ExecStart=/bin/evil %h $HOME\n[Service]\nUser=root'
  const hostile: Spec = {
    ...spec,
    ...{ prompt: secret, title: secret, workingDir: `/${secret}`, model: secret, agentType: secret },
    ...{ command: [secret], labels: { SECRET: secret }, permissionMode: 'SECRET', parent: 'ffffffffffff' },
  }
  const home = homePaths('/home/.agentz')
  const argv = startArgv(hostile, home, plain)
  t.same(argv, startArgv(spec, home, plain), 'it depends on nothing of them')
  t.notMatch(argv.join('\0'), /SECRET|evil|ffffffffffff/)
  t.equal(argv[0], 'systemd-run')
  t.same(argv.slice(argv.indexOf('--') + 1), [plain.node, plain.daemon, id])
  t.ok(argv.includes(`--unit=${unitName(id)}`))
  t.ok(argv.includes('--setenv=AGENTZ_HOME=/home/.agentz'))
  t.same(property(argv, 'OnFailure'), [`agentz-failed@${id}.service`])
  t.same(property(argv, 'OnSuccess'), [`agentz-ended@${id}.service`])
  t.same(property(argv, 'ExecStopPost'), [`"/usr/bin/node" "/opt/reap.js" "${id}"`])
})

// Seen with systemd 252: "%%" stays doubled in a transient unit, and "$$" in the path of a program: the reaper of an
// installation in such a directory was never found, and no exit was ever recorded.
t.test('paths with what systemd would read as syntax', async (t) => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the text is meant as it stands
  const odd = '/a b/%h%%/$HOME/${X}/"q"/\'s\'/back\\slash/;'
  const where = {
    node: `${odd}/node`,
    cli: '/x/cli.cjs',
    daemon: `${odd}/daemon.js`,
    reaper: `${odd}/reap.js`,
    chat: `${odd}/chat.js`,
    units: `${odd}/units`,
    keeper: '/pkg/units/keep-session.sh',
  }
  const argv = startArgv(spec, homePaths(odd), where)
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the text is meant as it stands
  const inQuotes = '/a b/%h%%/$HOME/${X}/\\"q\\"/\'s\'/back\\\\slash/;'
  const argument = inQuotes.replaceAll('$', '$$$$')
  t.same(property(argv, 'ExecStopPost'), [`"${inQuotes}/node" "${argument}/reap.js" "${id}"`])
  t.same(argv.slice(argv.indexOf('--') + 1), [`${odd}/node`, `${odd.replaceAll('$', '$$$$')}/daemon.js`, id])
  t.ok(argv.includes(`--setenv=AGENTZ_HOME=${homePaths(odd).root}`), 'a setting needs no quotes')
})

t.test('limits', async (t) => {
  const names = ['MemoryMax', 'CPUQuota', 'TasksMax', 'RuntimeMaxSec']
  const limited = (limits: Spec['limits']) => {
    const argv = startArgv({ ...spec, limits }, homePaths('/h'), plain)
    return names.flatMap((name) => property(argv, name).map((value) => `${name}=${value}`))
  }
  t.same(limited(undefined), [])
  t.same(limited({ cpu: '150%' }), ['CPUQuota=150%'])
  t.same(limited({ memory: '4G', cpu: '50%', tasks: 64, runtime: 3600 }), [
    'MemoryMax=4G',
    'CPUQuota=50%',
    'TasksMax=64',
    'RuntimeMaxSec=3600',
  ])
})
