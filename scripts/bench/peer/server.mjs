// The official server, file-backed.  node scripts/bench/peer/server.mjs DIRECTORY   prints {"url"}
import { DurableStreamTestServer } from '@durable-streams/server'

const server = new DurableStreamTestServer({ port: 0, host: '127.0.0.1', dataDir: process.argv[2] })
console.log(JSON.stringify({ url: await server.start() }))
