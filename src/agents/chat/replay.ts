/** Tells a client that loads a conversation what was said in it. */
import type { Client } from './client.js'
import type { Record } from './records.js'
import { tools } from './tools/tools.js'

export async function replay(records: readonly Record[], client: Client): Promise<void> {
  for (const record of records) {
    if (record.type === 'message' && record.text !== undefined) await client.heard(record.text)
    if (record.type === 'result') await client.ended(record, record)
    if (record.type !== 'answer') continue
    if (record.text !== '') await client.said(record.text)
    for (const call of record.calls) {
      const kind = tools.get(call.name)?.kind ?? 'other'
      await client.called({ call: { ...call, asked: false, started: false }, kind, title: call.name })
    }
  }
}
