/** What is measured, by name. No label holds what a client or an agent has chosen: ids, words of ours, and patterns of routes alone. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

const session = ['session'] as const

export class Meters {
  readonly registry = new Registry()
  readonly #of = { registers: [this.registry] }

  readonly build = new Gauge({
    ...this.#of,
    name: 'agentz_build_info',
    help: 'The version of the server; always 1',
    labelNames: ['version'] as const,
  })
  readonly sessions = new Gauge({
    ...this.#of,
    name: 'agentz_sessions',
    help: 'Sessions by their true status',
    labelNames: ['status'] as const,
  })
  readonly flagged = new Gauge({
    ...this.#of,
    name: 'agentz_sessions_flagged',
    help: 'Live sessions that wait in the queue, are frozen, or whose agent says nothing',
    labelNames: ['flag'] as const,
  })
  readonly unasked = new Gauge({
    ...this.#of,
    name: 'agentz_manager_unreachable',
    help: '1 if the manager of units could not be asked; the status is then told by processes',
  })
  readonly restarts = new Counter({
    ...this.#of,
    name: 'agentz_restarts_total',
    help: 'Daemons that were started again after they had died, over all sessions that are listed',
  })
  readonly lifecycle = new Counter({
    ...this.#of,
    name: 'agentz_lifecycle_events_total',
    help: 'Lines of the registry by type, and by cause where it is the end of a session',
    labelNames: ['type', 'cause'] as const,
  })
  readonly damaged = new Gauge({
    ...this.#of,
    name: 'agentz_registry_damaged_lines',
    help: 'Lines of the registry that are no records',
  })
  readonly events = new Counter({
    ...this.#of,
    name: 'agentz_log_events_total',
    help: 'Events appended to the logs of sessions since the first look at the metrics',
  })
  readonly bytes = new Counter({
    ...this.#of,
    name: 'agentz_log_bytes_total',
    help: 'Bytes appended to the logs of sessions since the first look at the metrics',
  })
  readonly waiting = new Gauge({
    ...this.#of,
    name: 'agentz_requests_waiting',
    help: 'Approvals and other questions that wait for an answer',
    labelNames: ['kind'] as const,
  })
  readonly oldest = new Gauge({
    ...this.#of,
    name: 'agentz_oldest_request_age_seconds',
    help: 'For how long the oldest of them has waited, by its timestamp; 0 if none waits',
    labelNames: ['kind'] as const,
  })
  readonly streams = new Gauge({
    ...this.#of,
    name: 'agentz_streams_open',
    help: 'Answers that go on: subscribers of events and of durable streams, and downloads of logs',
  })
  readonly followed = new Gauge({
    ...this.#of,
    name: 'agentz_files_followed',
    help: 'Files that are followed for subscribers of events, each once for all of them',
  })
  readonly requests = new Counter({
    ...this.#of,
    name: 'agentz_http_requests_total',
    help: 'Requests that were answered to their end since the first look at the metrics',
    labelNames: ['method', 'route', 'status'] as const,
  })
  readonly append = new Histogram({
    ...this.#of,
    name: 'agentz_append_seconds',
    help: 'From the request to the answer of what was appended by HTTP, synced to the disk',
    labelNames: ['route'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  })
  readonly delivery = new Histogram({
    ...this.#of,
    name: 'agentz_delivery_seconds',
    help: 'From the last write to a log, by the mtime of its file, to the hand-over to all who follow it',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  })
  readonly delivered = new Counter({
    ...this.#of,
    name: 'agentz_delivered_bytes_total',
    help: 'Bytes of logs that were handed to subscribers as they came, counted once for each',
  })
  readonly logSize = new Gauge({
    ...this.#of,
    name: 'agentz_session_log_bytes',
    help: 'The size of the log of a live session',
    labelNames: session,
  })
  readonly sessionRestarts = new Counter({
    ...this.#of,
    name: 'agentz_session_restarts_total',
    help: 'How often the daemon of a live session was started again after it had died',
    labelNames: session,
  })
  readonly cpu = new Counter({
    ...this.#of,
    name: 'agentz_session_cpu_seconds_total',
    help: 'CPU time of the unit of a live session, by its control group',
    labelNames: session,
  })
  readonly memory = new Gauge({
    ...this.#of,
    name: 'agentz_session_memory_bytes',
    help: 'Memory of the unit of a live session, by its control group, the cache of its files among it',
    labelNames: session,
  })
  readonly processCpu = new Counter({
    ...this.#of,
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the server',
  })
  readonly processMemory = new Gauge({
    ...this.#of,
    name: 'process_resident_memory_bytes',
    help: 'Memory of the server',
  })
  readonly processStart = new Gauge({
    ...this.#of,
    name: 'process_start_time_seconds',
    help: 'When the server was started, in seconds since 1970',
  })
  readonly scrape = new Gauge({
    ...this.#of,
    name: 'agentz_scrape_seconds',
    help: 'How long it took to look at all this',
  })
}
