import { sessionLog } from '../base/paths.js'
import { frame } from '../session/frame.js'
import { freezeSession } from '../supervisor/freeze.js'
import { unitName } from '../supervisor/systemd.js'
import { context, type Verb } from './context.js'
import { chosen, forEach, type Many, someOrAll } from './many.js'
import { appendLine, print } from './terminal.js'

export const verb: Verb<Many & { how?: boolean }> = {
  command: 'freeze [id..]',
  describe: 'Hold all processes of sessions still; they keep their memory, and go on with thaw',
  build: (yargs) => someOrAll(yargs) as never,
  handle: async (args) => {
    const ctx = context()
    const { home, supervisor } = ctx
    const ids = await chosen(ctx, args)
    if (args.how) {
      const group = (id: string) => `$(systemctl --user show -p ControlGroup --value ${unitName(id)})`
      const line = frame({ type: 'freeze_requested' }, 'user')
      const lines = (id: string) =>
        `${appendLine(line, sessionLog(home, id))}\necho 1 > "/sys/fs/cgroup${group(id)}/cgroup.freeze"   # hybrid: /sys/fs/cgroup/unified\n`
      await print(ids.map(lines).join(''))
      return 0
    }
    return forEach(
      ids,
      args,
      (id) => freezeSession(home, supervisor, id, 'cli'),
      (id, result) =>
        result.done
          ? `${id} is frozen${result.unanswered ? '; its daemon did not answer, and its watchdog may end it' : ''}`
          : result.frozen
            ? `${id} was frozen already`
            : `${id} is ${result.status}; nothing of it runs`,
    )
  },
}
