/**
 * A part of a log on the page, without a gap: from an address to another one, and beyond the end of the file as it grows. More of it is
 * fetched where somebody scrolls to, and what is far from there is let go: a log of 100,000 events costs no more than a short one.
 */
import { ask, sessionPath } from './api.js'
import { Calls } from './calls.js'
import { damagedEntry, entryOf } from './entry.js'
import { follow } from './follow.js'
import { addPlace, itemOf } from './item.js'
import { Stream } from './stream.js'

/** Entries on the page, and how many at least are wanted when it opens. */
const MOST = 1500
const FIRST = 60
/** Pixels from an edge at which one is there, and at which more is fetched. */
const EDGE = 48
const NEAR = 600
/** Until a file that was replaced is asked for once more, in milliseconds. */
const AGAIN_MS = 2000

/**
 * @typedef {object} Item
 * @property {number} from where its line begins, or the line before it has ended
 * @property {number} to its address
 * @property {HTMLElement} element
 */

export class Transcript {
  /** @type {Item[]} */
  #items = []
  #from = 0
  #to = 0
  /** The file is followed from `to` on. */
  #isLive = false
  /** What is fetched comes one after the other. */
  #isBusy = false
  /** @type {Promise<unknown>} */
  #turn = Promise.resolve()
  #unseen = 0
  /** Whether it stays at the end, whatever comes and however small its place becomes. */
  #sticks = true
  #top = 0
  /** @type {() => void} */
  #leave = () => {}
  #calls = new Calls()
  #stream
  #path
  #scroller
  #list
  #pill
  #on

  /**
   * @param {string} id
   * @param {{scroller: HTMLElement, list: HTMLElement, pill: HTMLElement}} elements
   * @param {{event: (event: any) => void, state: (isOpen: boolean) => void, failed: (error: unknown) => void}} on
   */
  constructor(id, { scroller, list, pill }, on) {
    this.#path = sessionPath(id)
    this.#scroller = scroller
    this.#list = list
    this.#pill = pill
    this.#on = on
    this.#stream = new Stream()
    scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true })
    pill.addEventListener('click', () => this.toEnd())
    new ResizeObserver(() => {
      if (this.#sticks) scroller.scrollTop = scroller.scrollHeight
      this.#tellUnseen()
    }).observe(scroller)
  }

  /** Opens it at an event, or at the end. @param {number} [at] */
  open(at) {
    return this.#inTurn(() => this.#open(at))
  }

  /** @param {number | undefined} at */
  async #open(at) {
    // What cannot be had leaves what is there as it is.
    const page = await ask(`${this.#path}/page${at === undefined ? '' : `?before=${at}`}`)
    this.#leave()
    this.#isLive = false
    this.#items = []
    this.#calls.clear()
    this.#stream.clear()
    this.#list.replaceChildren(this.#stream.element)
    this.#from = page.from
    this.#to = page.from
    this.#append(page)
    while (this.#from > 0 && this.#items.length < FIRST) await this.#older()
    if (this.#to >= page.end) this.#follow()
    else await this.#newer()
    this.#sticks = at === undefined || !this.#show(at)
    if (this.#sticks) this.#scroller.scrollTop = this.#scroller.scrollHeight
    this.#tellUnseen()
  }

  /** To the newest events, wherever one is. */
  async toEnd() {
    if (!this.#isLive) await this.open().catch(this.#on.failed)
    this.#sticks = true
    this.#scroller.scrollTop = this.#scroller.scrollHeight
  }

  /** To the turn before or behind what is at the top. @param {1 | -1} direction */
  turn(direction) {
    const top = this.#scroller.getBoundingClientRect().top
    const turns = [...this.#list.querySelectorAll('.turn')]
    const places = turns.map((turn) => turn.getBoundingClientRect().top - top)
    const next = direction > 0 ? places.findIndex((place) => place > 8) : places.findLastIndex((place) => place < -8)
    if (next >= 0) this.#scroller.scrollTop += places[next] ?? 0
    else this.#scroller.scrollTop = direction > 0 ? this.#scroller.scrollHeight : 0
  }

  get #isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller
    return scrollHeight - scrollTop - clientHeight < EDGE
  }

  #follow() {
    this.#isLive = true
    this.#leave = follow(`${this.#path}/events`, this.#to, {
      state: this.#on.state,
      record: (offset, line) => this.#grown(() => this.#add(offset, line)),
      damaged: (damage) => this.#grown(() => this.#put(damagedEntry(damage), damage.at, damage.at + damage.length + 1)),
      reset: () => void this.#again(),
    })
  }

  /** The file was replaced, and may not be back yet; nor may the server. */
  async #again() {
    this.#leave()
    this.#isLive = false
    try {
      await this.open()
    } catch (error) {
      this.#on.failed(error)
      setTimeout(() => void this.#again(), AGAIN_MS)
    }
  }

  /** Stays at the end if it was there, and counts what nobody has seen otherwise. @param {() => void} change */
  #grown(change) {
    const before = this.#items.length
    change()
    if (this.#sticks) {
      this.#shorten('top')
      this.#scroller.scrollTop = this.#scroller.scrollHeight
    } else this.#unseen += this.#items.length - before
    this.#tellUnseen()
  }

  #tellUnseen() {
    if (this.#isAtEnd && this.#isLive) this.#unseen = 0
    this.#pill.hidden = this.#isAtEnd && this.#isLive
    this.#pill.textContent = this.#unseen > 0 ? `${this.#unseen} new ↓` : 'To the end ↓'
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller
    // Only who goes up has left the end; that its place became smaller moves nothing.
    if (this.#isAtEnd) this.#sticks = true
    else if (scrollTop < this.#top) this.#sticks = false
    this.#top = scrollTop
    this.#tellUnseen()
    if (this.#isBusy) return
    const isNearEnd = !this.#isLive && scrollHeight - scrollTop - clientHeight < NEAR
    if (scrollTop < NEAR && this.#from > 0) void this.#inTurn(() => this.#older()).catch(this.#on.failed)
    else if (isNearEnd) void this.#inTurn(() => this.#newer()).catch(this.#on.failed)
  }

  /** @param {() => Promise<void>} work @returns {Promise<void>} */
  async #inTurn(work) {
    const before = this.#turn
    const own = before.then(async () => {
      this.#isBusy = true
      try {
        await work()
      } finally {
        this.#isBusy = false
      }
    })
    this.#turn = own.catch(() => undefined)
    return own
  }

  async #older() {
    const page = await ask(`${this.#path}/page?before=${this.#from}`)
    const { scrollHeight, scrollTop } = this.#scroller
    const kept = this.#items
    this.#items = []
    const first = this.#list.firstChild
    const to = this.#to
    this.#to = page.from
    this.#append(page, first)
    this.#items.push(...kept)
    this.#from = page.from
    this.#to = to
    // What one reads stays where it is.
    this.#scroller.scrollTop = scrollTop + this.#scroller.scrollHeight - scrollHeight
    this.#shorten('bottom')
  }

  async #newer() {
    const page = await ask(`${this.#path}/page?after=${this.#to}`)
    this.#append(page)
    this.#to = page.to
    if (page.to >= page.end) this.#follow()
    this.#tellUnseen()
  }

  /** @param {any} page @param {Node | null} [before] */
  #append({ records, damaged, to }, before = null) {
    const lines = [
      ...records.map((/** @type {any} */ record) => ({ at: record.offset, record })),
      ...damaged.map((/** @type {any} */ damage) => ({ at: damage.at + damage.length + 1, damage })),
    ].sort((one, other) => one.at - other.at)
    for (const { at, record, damage } of lines) {
      if (record === undefined) this.#put(damagedEntry(damage), this.#to, at, before)
      else this.#add(record.offset, record.line, before)
      this.#to = at
    }
    this.#to = to
  }

  /** @param {number} offset @param {string} line @param {Node | null} [before] */
  #add(offset, line, before = null) {
    const from = this.#to
    this.#to = Math.max(this.#to, offset)
    let event
    try {
      event = JSON.parse(line)
    } catch {
      // It begins and ends like one, and is none.
      this.#put(damagedEntry({ at: from, length: line.length }), from, offset, before)
      return
    }
    this.#on.event(event)
    if (this.#isLive) this.#stream.take(event)
    const call = this.#calls.take(event)
    if (call !== undefined) {
      addPlace(call, { from, to: offset })
      return
    }
    const entry = entryOf(event)
    if (entry === undefined) return
    this.#calls.add(event, entry)
    this.#put(entry, from, offset, before, event)
  }

  /** @param {HTMLElement} entry @param {number} from @param {number} to @param {Node | null} [before] @param {any} [event] */
  #put(entry, from, to, before = null, event) {
    const element = itemOf(entry, this.#path, { from, to }, event)
    this.#list.insertBefore(element, before ?? this.#stream.element)
    this.#items.push({ from, to, element })
  }

  /** @param {'top' | 'bottom'} end which is let go */
  #shorten(end) {
    const surplus = this.#items.length - MOST
    if (surplus <= 0) return
    const gone = end === 'top' ? this.#items.splice(0, surplus) : this.#items.splice(MOST)
    for (const { element } of gone) element.remove()
    this.#calls.forget()
    if (end === 'top') this.#from = this.#items[0]?.from ?? this.#to
    else {
      this.#leave()
      this.#isLive = false
      this.#to = this.#items.at(-1)?.to ?? this.#from
      this.#stream.clear()
    }
  }

  /** @param {number} at @returns {boolean} whether there is one */
  #show(at) {
    for (const marked of this.#list.querySelectorAll('.linked')) marked.classList.remove('linked')
    const item = this.#items.find(({ to }) => to >= at)
    if (item === undefined) return false
    item.element.classList.add('linked')
    item.element.scrollIntoView({ block: 'center' })
    return true
  }
}
