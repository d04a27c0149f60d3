import { context, type Verb } from './context.js'
import { print } from './terminal.js'

export const verb: Verb<{ how?: boolean }> = {
  command: 'serve',
  describe: 'placeholder',
  build: (yargs) => yargs,
  handle: async () => {
    context()
    await print('')
    return 0
  },
}
