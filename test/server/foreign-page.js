// What a page of somebody else's can try on the server from within a browser. Each try tells what it could read, or why not.

const waited = (element, good = 'load') =>
  new Promise((resolve) => {
    element.addEventListener(good, () => resolve('loaded'), { once: true })
    element.addEventListener('error', () => resolve('error'), { once: true })
  })
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const put = (name, properties) => {
  const element = Object.assign(document.createElement(name), properties)
  const done = waited(element)
  document.body.append(element)
  return done
}
const request = async (url, options) => {
  const response = await fetch(url, { credentials: 'include', ...options })
  return response.type === 'opaque' ? 'opaque' : `${response.status} ${await response.text()}`
}
const json = { 'content-type': 'application/json' }

/** A form, sent into a frame: what comes back is in that frame. */
async function form(action, enctype, value) {
  const frame = Object.assign(document.createElement('iframe'), { name: `frame-${Math.random()}` })
  document.body.append(frame)
  const sent = Object.assign(document.createElement('form'), { action, enctype, method: 'post', target: frame.name })
  // With text/plain, name and value together are JSON.
  sent.append(Object.assign(document.createElement('input'), { name: value, value: '"}' }))
  document.body.append(sent)
  const done = waited(frame)
  sent.submit()
  await done
  return inside(frame.contentWindow)
}

/** What can be seen of another window. */
function inside(view) {
  try {
    return view.location.href === 'about:blank' ? 'blank' : `document ${view.document.body?.innerText}`
  } catch (error) {
    return error.name
  }
}

async function framed(src) {
  const frame = Object.assign(document.createElement('iframe'), { src })
  const done = waited(frame)
  document.body.append(frame)
  await done
  frame.contentWindow.postMessage('let me in', '*')
  return inside(frame.contentWindow)
}

async function socket(url) {
  const live = new WebSocket(url.replace('http:', 'ws:'))
  return Promise.race([waited(live, 'open'), waited(live, 'message')])
}

async function events(url) {
  const source = new EventSource(url, { withCredentials: true })
  const end = await Promise.race([waited(source, 'open'), waited(source, 'message')])
  source.close()
  return end
}

async function xhr(method, url, body) {
  const sent = new XMLHttpRequest()
  sent.open(method, url)
  sent.withCredentials = true
  const end = waited(sent)
  sent.send(body)
  return `${await end} ${sent.status} ${sent.responseText}`
}

/** A window of its own, which is asked to speak, and is looked into until `done` is what is seen. */
async function opened(url, done) {
  const said = []
  addEventListener('message', ({ data }) => said.push(data))
  const view = open(url)
  if (view === null) return 'no window'
  const look = () => (view.closed ? 'closed' : inside(view))
  while (look() !== done) await pause(20)
  view.postMessage('let me in', '*')
  await pause(100)
  return said.length > 0 ? `said ${said}` : look()
}

/**
 * @param site an origin of the server
 * @param id a session that lives
 */
export function tries(site, id) {
  const session = `${site}/v1/sessions/${id}`
  // Of one address each: a browser asks for the same one once at a time.
  let count = 0
  const list = () => `${site}/v1/sessions?limit=${++count}`
  const file = (name) => `${site}/${name}?${++count}`
  const message = JSON.stringify({ content: 'from a foreign page' })
  const open = '{"content":"from a foreign page'
  return {
    'fetch list': () => request(list()),
    'fetch events': () => request(`${session}/events?follow=0`),
    'fetch no-cors': () => request(list(), { mode: 'no-cors' }),
    'fetch with a header': () => request(list(), { headers: { authorization: 'Bearer x' } }),
    'fetch same-origin': () => request(list(), { mode: 'same-origin' }),
    'post JSON': () => request(`${session}/messages`, { method: 'POST', headers: json, body: message }),
    'post text': () => request(`${session}/messages`, { method: 'POST', mode: 'no-cors', body: message }),
    'post untyped': () =>
      request(`${session}/messages`, { method: 'POST', mode: 'no-cors', body: new Blob([message]) }),
    'post nothing': () => request(`${session}/cancel`, { method: 'POST', mode: 'no-cors' }),
    'post kept alive': () => request(`${session}/cancel`, { method: 'POST', mode: 'no-cors', keepalive: true }),
    put: () => request(session, { method: 'PUT', body: message }),
    'append to a stream': () =>
      request(`${site}/v1/stream/foreign`, { method: 'POST', mode: 'no-cors', body: message }),
    'make a stream': () => request(`${site}/v1/stream/foreign`, { method: 'PUT', body: message }),
    'read a stream': () => request(`${site}/v1/stream/__registry__?offset=-1`),
    'xhr get': () => xhr('GET', session),
    'xhr post': () => xhr('POST', `${session}/cancel`, ''),
    'form urlencoded': () => form(`${session}/cancel`, 'application/x-www-form-urlencoded', 'content'),
    'form text': () => form(`${session}/messages`, 'text/plain', open),
    'form multipart': () => form(`${session}/messages`, 'multipart/form-data', 'content'),
    'form login': () => form(`${site}/v1/login`, 'text/plain', '{"code":"'),
    beacon: async () => String(navigator.sendBeacon(`${session}/cancel`, message)),
    image: () => put('img', { src: list() }),
    icon: () => put('img', { src: file('viewer/icon.svg') }),
    script: () => put('script', { src: list() }),
    'login script': () => put('script', { src: file('viewer/login.js') }),
    module: () => import(file('viewer/login.js')).then(() => 'loaded'),
    style: () => put('link', { rel: 'stylesheet', href: file('viewer/login.css') }),
    object: () => put('object', { data: file('login') }),
    video: () => Promise.race([put('video', { src: `${session}/events?offset=0` }), put('audio', { src: session })]),
    worker: async () => waited(new Worker(file('viewer/login.js')), 'message'),
    'service worker': async () => String(await navigator.serviceWorker.register(file('viewer/login.js'))),
    'frame of the list': () => framed(list()),
    'frame of the page': () => framed(file('login')),
    'frame of the viewer': () => framed(file(`s/${id}`)),
    events: () => events(`${session}/events`),
    'all events': () => events(`${site}/v1/events`),
    'web socket': () => socket(`${session}/events`),
    'window of the list': () => opened(list(), 'SecurityError'),
    'window of the page': () => opened(`${site}/login#/${id}`, 'closed'),
  }
}

/** What does not come to an end got no answer. */
async function end(act) {
  try {
    return await Promise.race([act(), pause(10_000).then(() => 'silence')])
  } catch (error) {
    return error.name
  }
}

/** All of them at once; windows last, since a browser takes its time with what is behind one. */
export async function tryAll(site, id) {
  const all = Object.entries(tries(site, id))
  const told = {}
  for (const isWindow of [false, true]) {
    const some = all.filter(([name]) => name.startsWith('window') === isWindow)
    const ends = await Promise.all(some.map(([, act]) => end(act)))
    for (const [at, [name]] of some.entries()) told[name] = ends[at]
  }
  return told
}
