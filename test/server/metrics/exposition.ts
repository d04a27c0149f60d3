/** The text format of Prometheus, strictly: its grammar, and what `promtool check metrics` looks at besides. */
import type { Test } from 'tap'

interface Sample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}
export type Samples = readonly Sample[]

const sample = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (NaN|[+-]Inf|-?\d\S*)$/
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g
const unescaped = (text: string) => text.replace(/\\(.)/g, (_, each) => (each === 'n' ? '\n' : each))

function numberOf(text: string): number {
  return text.endsWith('Inf') ? Number(text.replace('Inf', 'Infinity')) : Number(text)
}

/** All samples of a text, each family in one piece behind its HELP and TYPE. */
export function samplesOf(t: Test, text: string): Samples {
  const found: Sample[] = []
  const types = new Map<string, string>()
  const seen = new Set<string>()
  let family = ''
  const wrong: string[] = text.endsWith('\n') ? [] : ['the last line has no newline']
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, keyword = '', name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? []
    if (keyword === 'HELP') {
      if (types.has(name)) wrong.push(`${name} comes twice`)
      family = name
    } else if (keyword === 'TYPE') {
      if (name !== family) wrong.push(`the type of ${name} has no help before it`)
      if (!['counter', 'gauge', 'histogram'].includes(rest)) wrong.push(`${name} is a ${rest}`)
      if ((rest === 'counter') !== name.endsWith('_total')) wrong.push(`${name} is not named as a ${rest}`)
      types.set(name, rest)
    } else {
      const match = sample.exec(line)
      if (match === null) wrong.push(`no sample: ${line}`)
      const [series = '', name = '', labels = '', value = ''] = match ?? []
      const base = types.get(family) === 'histogram' ? name.replace(/_(bucket|sum|count)$/, '') : name
      if (base !== family || !types.has(family)) wrong.push(`${name} stands below ${family}`)
      const key = series.slice(0, series.lastIndexOf(' '))
      if (seen.has(key)) wrong.push(`${key} comes twice`)
      seen.add(key)
      const pairs = [...labels.matchAll(label)].map(([, each = '', its = '']) => [each, unescaped(its)] as const)
      found.push({ name, labels: new Map(pairs), value: numberOf(value) })
    }
  }
  t.same([...wrong, ...wrongBuckets(found)], [], 'the text is as Prometheus wants it')
  return found
}

function wrongBuckets(samples: Samples): string[] {
  const series = new Map<string, { le: number; value: number }[]>()
  const key = ({ name, labels }: Sample) =>
    `${name.replace(/_(bucket|count)$/, '')} ${[...labels].filter(([each]) => each !== 'le').join(' ')}`
  for (const each of samples.filter(({ name }) => name.endsWith('_bucket'))) {
    const le = numberOf(each.labels.get('le') ?? '')
    series.set(key(each), [...(series.get(key(each)) ?? []), { le, value: each.value }])
  }
  return [...series].flatMap(([name, buckets]) => {
    const rises = buckets.every(({ le, value }, at) => {
      const before = buckets[at - 1]
      return before === undefined || (before.le < le && before.value <= value)
    })
    const count = samples.find((each) => each.name.endsWith('_count') && key(each) === name)
    const last = buckets.at(-1)
    const isWhole = last?.le === Number.POSITIVE_INFINITY && last.value === count?.value
    return rises && isWhole ? [] : [`the buckets of ${name} do not add up`]
  })
}

/** The value of one sample; undefined if there is none with these labels. */
export const valueIn = (samples: Samples, name: string, labels: Record<string, string> = {}): number | undefined =>
  samples.find(
    (each) => each.name === name && Object.entries(labels).every(([label, value]) => each.labels.get(label) === value),
  )?.value
