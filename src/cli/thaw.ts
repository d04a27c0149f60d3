import { sessionLog } from '../base/paths.js'
import { frame } from '../session/frame.js'
import { thawSession } from '../supervisor/freeze.js'
import { unitName } from '../supervisor/systemd.js'
import { context, type Verb } from './context.js'
import { chosen, forEach, type Many, someOrAll } from './many.js'
import { appendLine, print } from './terminal.js'

export const verb: Verb<Many & { how?: boolean }> = {
  command: 'thaw [id..]',
  describe: 'Let frozen sessions go on',
  build: (yargs) => someOrAll(yargs) as never,
  handle: async (args) => {
    const ctx = context()
    const { home, supervisor } = ctx
    const ids = await chosen(ctx, args)
    if (args.how) {
      const group = (id: string) => `$(systemctl --user show -p ControlGroup --value ${unitName(id)})`
      const line = frame({ type: 'thaw_requested' }, 'user')
      const lines = (id: string) =>
        `${appendLine(line, sessionLog(home, id))}\necho 0 > "/sys/fs/cgroup${group(id)}/cgroup.freeze"   # hybrid: /sys/fs/cgroup/unified\n`
      await print(ids.map(lines).join(''))
      return 0
    }
    return forEach(
      ids,
      args,
      (id) => thawSession(home, supervisor, id, 'cli'),
      (id, result) =>
        result.done
          ? `${id} goes on${result.unanswered ? '; its daemon has not answered yet' : ''}`
          : `${id} is ${result.status}, and was not frozen`,
    )
  },
}
