/** Lines that are torn or whose bits have rotted, and locks whose holder died: files alone, whoever runs the sessions. */
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Appender, appendOnce } from '../../src/log/append.js'
import { type Damage, readLog } from '../../src/log/read.js'
import { tempDir } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'
import { survives } from './row.js'

function read(path: string): { lines: string[]; damaged: Damage[] } {
  const lines: string[] = []
  const damaged: Damage[] = []
  readLog(path, { onDamage: (damage) => damaged.push(damage) }, ({ bytes }) => lines.push(bytes.toString()))
  return { lines, damaged }
}

const parsed = (line: string): boolean => {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}

const [before, torn, after] = ['before', 'torn, ä and "quoted"', 'after'].map((content) =>
  JSON.stringify({ type: 'text', content }),
) as [string, string, string]

survives('torn-tail', {
  once: async (t) => {
    const path = join(tempDir(t), 'log.ndjson')
    const writers: Record<string, () => void> = {
      'a one-shot writer': () => void appendOnce(path, after),
      'a daemon': () => {
        const appender = new Appender(path)
        appender.append([after])
        appender.close()
      },
    }
    const start = `${before}\n`
    const bytes = Buffer.from(`${torn}\n`)
    for (const [who, write] of Object.entries(writers)) {
      for (let kept = 0; kept <= bytes.length; kept++) {
        writeFileSync(path, start)
        appendFileSync(path, bytes.subarray(0, kept))
        write()
        const { lines, damaged } = read(path)
        // With all its bytes but the newline, it is whole or it is sealed; never is it another line.
        const isWhole = kept === bytes.length
        const expected = isWhole ? [before, torn, after] : [before, after]
        const isReported =
          isWhole || kept === 0 ? damaged.length === 0 : damaged.length === 1 && damaged[0]?.at === start.length
        if (lines.join('\n') !== expected.join('\n') || !isReported) t.fail(`${who}, after ${kept} bytes: ${lines}`)
      }
      t.pass(`${who} costs its neighbours nothing at ${bytes.length + 1} places`)
    }
  },
})

survives('bit-flip', {
  once: async (t) => {
    const path = join(tempDir(t), 'log.ndjson')
    const lines = Array.from({ length: 12 }, (_, n) => JSON.stringify({ type: 'text', n, content: `line ${n}` }))
    const whole = Buffer.from(`${lines.join('\n')}\n`)
    let worst = 0
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = Buffer.from(whole)
      bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7))
      writeFileSync(path, bytes)
      const found = new Set(read(path).lines.filter(parsed))
      const lost = lines.filter((line) => !found.has(line)).length
      // A newline that is none any more joins two lines; the last one is then no data yet.
      const most = whole[bit >> 3] === 0x0a ? 2 : 1
      if (lost > most) t.fail(`bit ${bit} costs ${lost} lines`)
      worst = Math.max(worst, lost)
    }
    t.equal(worst, 2, `${whole.length * 8} bits were flipped: one line each, two where they are joined`)
  },
})

survives('lock-holder-killed', {
  once: async (t) => {
    const directory = tempDir(t)
    const path = join(directory, 'log.ndjson')
    const holder = await program(
      directory,
      `import { withLock } from './src/log/lock.js'
      setInterval(() => {}, 1000)
      await withLock(process.argv[2], () => new Promise(() => console.log('held')))`,
      'holder',
    )
    const next = await program(
      directory,
      `import { withLock } from './src/log/lock.js'
      const begin = performance.now()
      await withLock(process.argv[2], () => console.log(Math.round(performance.now() - begin)))`,
      'next',
    )
    const held = start(t, [process.execPath, holder, path])
    await held.said('held')
    held.process.kill('SIGKILL')
    await held.ended
    const others = [1, 2, 3].map(() => start(t, [process.execPath, next, path]))
    for (const { ended } of others) {
      const { code, stdout, stderr } = await ended
      t.match({ code, stderr }, { code: 0, stderr: '' })
      t.ok(Number(stdout) < 10_000, `it went on after ${stdout.trim()} ms; 2 s, on a machine with nothing else to do`)
    }
  },
})
