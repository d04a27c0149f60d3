import t from 'tap'
import { nextLine } from '../../../src/agents/chat/demo-script.js'

const tools = ['list_files', 'write_file', 'shell']
const ok = (text: string) => ({ denied: false, text })
const no = { denied: true, text: 'A person has denied this, and says: not today' }

t.test('the first part', async (t) => {
  const line = (...results: { denied: boolean; text: string }[]) => nextLine({ said: ['Hello'], results, tools })
  t.match(line(), { text: /scripted demonstration; no model is behind this\./, call: { name: 'list_files' } })
  t.match(line(ok('a\nb/')), {
    text: /I see 2 entries/,
    call: { name: 'write_file', input: { path: 'agentz-demo.txt' } },
  })
  t.match(line(ok('a')).text, /I see one entry\./)
  t.match(line(ok('[the directory is empty]')).text, /I see no entries\./)
  const end = line(ok('a'), ok('Made it'))
  t.match(end.text, /The tool says: Made it\. .*agentz send/)
  t.equal(end.call, undefined)
  t.match(line(ok('a'), no).text, /did not write agentz-demo\.txt, .*says: not today".*agentz send/)
})

t.test('what follows', async (t) => {
  const said = ['Hello', 'Still there?']
  const first = nextLine({ said, results: [], tools })
  t.match(first, { text: /You said: "Still there\?"\. I remember one message/, call: { name: 'shell' } })
  t.match(nextLine({ said: [...said, 'x'], results: [], tools }).text, /2 messages/)
  t.match(nextLine({ said, results: [ok('Monday\n')], tools }).text, /says: Monday\. /)
  t.match(nextLine({ said, results: [no], tools }).text, /did not run it, .*says: not today"/)
})

t.test('where a tool is not to be had, it says so', async (t) => {
  const line = nextLine({ said: ['Hello'], results: [ok('a')], tools: ['list_files'] })
  t.match(line.text, /permission mode/)
  t.equal(line.call, undefined)
})
