/** `launchctl print` as people have published it; each text says where. Shortened where a line says [...]. */
import t from 'tap'
import { parseDomain, parseJob } from '../../../src/supervisor/launchd/print.js'

// github.com/creativeprojects/resticprofile, its test of the same command
const finished = `user/503/local.resticprofile.self.check = {
	active count = 0
	path = /Users/cp/Library/LaunchAgents/local.resticprofile.self.check.agent.plist
	type = LaunchAgent
	state = not running

	program = /Users/cp/go/src/github.com/creativeprojects/resticprofile/resticprofile
	arguments = {
		--no-prio
		check@self
	}

	domain = user/503
	asid = 100008
	minimum runtime = 10
	exit timeout = 5
	nice = 0
	runs = 1
	last exit code = 0

	event triggers = {
		local.resticprofile.self.check.267436470 => {
			keepalive = 0
		}
	}

	spawn type = daemon (3)
	properties = 
}
`
// github.com/ryantm/agenix/issues/308
const scheduled = `gui/501/org.nix-community.home.activate-agenix = {
	type = LaunchAgent
	state = spawn scheduled
	minimum runtime = 10
	exit timeout = 5
	runs = 640
	last exit code = 0
	semaphores = {
		successful exit => 0
		after crash => 0
	}
	spawn type = background (5)
}
`
// github.com/wazuh/wazuh-packages/issues/2206
const running = `com.wazuh.agent = {
	active count = 1
	state = running

	environment = {
		XPC_SERVICE_NAME => com.wazuh.agent
	}

	runs = 2
	successive crashes = 0
	pid = 858
	immediate reason = one-shot
	last exit code = 0

	resource coalition = {
		state = active
		pid = 1
	}
}
`

t.test('one job', async (t) => {
  const exit = { result: 'success', code: 'exited', status: 0 }
  t.strictSame(parseJob(finished), { state: 'not running', runs: 1, exit })
  t.strictSame(parseJob(scheduled), { state: 'spawn scheduled', runs: 640, exit })
  t.strictSame(parseJob(running), { state: 'running', pid: 858, runs: 2, exit }, 'of the blocks in it nothing is taken')
  t.strictSame(parseJob(''), { state: 'unknown' })
  t.strictSame(parseJob('Bad request.\nCould not find service "x" in domain for user gui: 501\n'), { state: 'unknown' })
})

t.test('how the last run ended: a signal stands in the place of the code', async (t) => {
  const exit = (line: string) => parseJob(`gui/501/x = {\n\tstate = not running\n\t${line}\n}\n`).exit
  t.equal(exit('last exit code = (never exited)'), undefined)
  t.strictSame(exit('last exit code = 1'), { result: 'exit-code', code: 'exited', status: 1 })
  t.strictSame(exit('last exit code = 78: EX_CONFIG'), { result: 'exit-code', code: 'exited', status: 78 })
  t.strictSame(exit('last terminating signal = Killed: 9'), { result: 'signal', code: 'killed', status: 'KILL' })
  t.strictSame(exit('last terminating signal = Bus error: 10'), { result: 'signal', code: 'killed', status: 'BUS' })
  t.match(exit('last exit reason = OS_REASON_CODESIGNING'), { result: 'signal', status: 'OS_REASON_CODESIGNING' })
})

// The form: github.com/appium/node-simctl, its comment on the services of a domain
const domain = `gui/501 = {
	type = login
	active service count = 230
	environment = {
		SSH_AUTH_SOCK => /private/tmp/com.apple.launchd.tcPrbRORRV/Listeners
	}

	services = {
		       0     78 	com.apple.resourcegrabberd
		   82158      - 	com.apple.assistant_service
		   61949   (pe) 	com.apple.tonelibraryd
		       0     -9 	agentz.session.0123456789ab
	}

	disabled services = {
		"com.apple.rcd" => disabled
	}
}
`

t.test('the jobs of a domain', async (t) => {
  t.strictSame(
    [...parseDomain(domain)],
    [
      ['com.apple.resourcegrabberd', undefined],
      ['com.apple.assistant_service', 82158],
      ['com.apple.tonelibraryd', 61949],
      ['agentz.session.0123456789ab', undefined],
    ],
  )
  t.strictSame([...parseDomain('gui/501 = {\n}\n')], [])
})
