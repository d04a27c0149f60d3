import t from 'tap'
import { homePaths } from '../../src/base/paths.js'
import { chooseSupervisor, fitting, ownSupervisor, supervisorOf } from '../../src/supervisor/choose.js'

const home = homePaths('/nowhere')

t.beforeEach(() => {
  delete process.env.AGENTZ_SUPERVISOR
})

t.test('the environment is before config.json, and that is before what the machine has', async (t) => {
  t.equal(chooseSupervisor(home, { supervisor: 'launchd' }).name, 'launchd')
  process.env.AGENTZ_SUPERVISOR = 'plain'
  t.equal(chooseSupervisor(home, { supervisor: 'launchd' }).name, 'plain')
  t.equal(ownSupervisor(home).name, 'plain')
  process.env.AGENTZ_SUPERVISOR = ''
  t.equal(chooseSupervisor(home, {}).name, 'systemd', 'it is installed here, whether it answers or not')
  t.equal(ownSupervisor(home).name, 'systemd')
  process.env.AGENTZ_SUPERVISOR = 'Plain'
  t.throws(() => chooseSupervisor(home, {}), {
    code: 'BAD_INPUT',
    message: /"Plain" is none of systemd, launchd, plain/,
  })
})

t.test('plain fits only where neither of the others exists at all', async (t) => {
  const having =
    (...paths: string[]) =>
    (path: string) =>
      paths.includes(path)
  t.equal(fitting('darwin', '/bin', having()), 'launchd')
  t.equal(fitting('linux', '/opt/bin:/bin', having()), 'plain')
  t.equal(fitting('linux', undefined, having()), 'plain')
  t.equal(fitting('linux', '/opt/bin', having('/run/systemd/system')), 'systemd')
  t.equal(fitting('linux', '/opt/bin', having('/opt/bin/systemctl')), 'systemd')
  t.equal(fitting('linux', '', having('/usr/bin/systemctl')), 'systemd')
  t.equal(
    fitting('linux', '.:bin', having('bin/systemctl')),
    'plain',
    'what lies about in a directory is not installed',
  )
  t.equal(fitting('freebsd', '/bin', having()), 'plain')
})

t.test('a session belongs to the one that has started it last', async (t) => {
  const chosen = chooseSupervisor(home, { supervisor: 'plain' })
  t.equal(supervisorOf(home, chosen, { epoch: 0 }), chosen, 'not started yet')
  t.equal(supervisorOf(home, chosen, {}), chosen)
  t.equal(supervisorOf(home, chosen, { epoch: 3, supervisor: 'plain' }), chosen)
  t.equal(supervisorOf(home, chosen, { epoch: 3 }).name, 'systemd')
  t.equal(supervisorOf(home, chosen, { epoch: 3, supervisor: 'launchd' }).name, 'launchd')
})
