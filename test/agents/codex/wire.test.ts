import t from 'tap'
import { codexModes, initializeParams, modeOf, threadParams, versionOf } from '../../../src/agents/codex/wire.js'
import { isWider, modes } from '../../../src/session/mode.js'

const sandboxes: Record<string, string> = {
  'read-only': 'readOnly',
  'workspace-write': 'workspaceWrite',
  'danger-full-access': 'dangerFullAccess',
}

t.test('each mode is told, and read back as itself', async (t) => {
  t.same(codexModes, modes)
  for (const permissionMode of codexModes) {
    const told = threadParams({ workingDir: '/w', model: 'm', permissionMode }) as Record<string, string>
    t.match(told, { cwd: '/w', model: 'm', approvalsReviewer: 'user' })
    const { approvalPolicy, sandbox = '' } = told
    t.equal(modeOf({ approvalPolicy, sandbox: { type: sandboxes[sandbox] } }), permissionMode)
  }
  t.match(threadParams({ workingDir: '/w' }), { approvalPolicy: 'untrusted', sandbox: 'workspace-write' })
  t.notOk('model' in threadParams({ workingDir: '/w' }))
})

t.test('a combination that is none of ours is wider than all of them', async (t) => {
  const sandbox = { type: 'dangerFullAccess' }
  for (const result of [
    { approvalPolicy: 'untrusted', sandbox },
    { approvalPolicy: { granular: {} }, sandbox: { type: 'workspaceWrite' } },
    { approvalPolicy: 'untrusted', sandbox: { type: 'workspaceWrite' }, approvalsReviewer: 'auto_review' },
    {},
  ]) {
    const mode = modeOf(result)
    t.match(mode, /^approval=.* sandbox=.* reviewer=/)
    t.equal(isWider(mode, 'bypassPermissions'), true)
  }
  t.equal(
    modeOf({ approvalPolicy: 'untrusted', sandbox }),
    'approval=untrusted sandbox=danger-full-access reviewer=user',
  )
})

t.test('who we are, and what we need not hear', async (t) => {
  const { clientInfo, capabilities } = initializeParams()
  t.match(clientInfo, { name: 'agentz', version: /^\d/ })
  t.ok(capabilities.optOutNotificationMethods.includes('thread/status/changed'))
  t.equal(versionOf('agentz/0.169.0 (Debian; x86_64) unknown'), '0.169.0')
  t.equal(versionOf(undefined), undefined)
})
