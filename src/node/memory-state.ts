/**
 * The state of recent conversations in the memory of this process. It is kept as text, which takes a fraction of the
 * memory of objects, and its bounds follow the heap.
 */
import { getHeapStatistics } from 'node:v8'
import { LRUCache } from 'lru-cache'
import type { WireResponse } from '../format/index.ts'
import { limits } from '../limits.ts'
import type { OpenChoices, OpenReply, PickedSet, Settlement, State } from '../runtime.ts'
import { openChoicesOf, type StoredReply, withReply } from '../turn/index.ts'

/** What is remembered of a conversation. */
interface Memory {
	readonly choices?: Choices
	readonly late: Notes<Note>
	readonly answers: Notes<Answer>
}

interface Choices {
	/** Newest first. */
	readonly open: readonly StoredReply[]
	/** Bytes that they take of the heap. */
	readonly cost: number
	/** When the last was added, as `performance.now`. */
	readonly at: number
}

/** A value as JSON. */
interface Note {
	readonly text: string
	/** Bytes of the text in UTF-8. */
	readonly bytes: number
	/** Bytes that the note takes of the heap. */
	readonly cost: number
	/** When it was added, as `performance.now`. */
	readonly at: number
}

interface Answer extends Note {
	readonly call: string
}

/** Notes, oldest first, and what they sum up to. */
interface Notes<N extends Note> {
	readonly notes: readonly N[]
	readonly bytes: number
	readonly cost: number
}

/** A call that is being answered. */
interface InFlight {
	readonly fence: number
	readonly settled: Promise<WireResponse | undefined>
	readonly settle: (answer: WireResponse | undefined) => void
}

/**
 * Bytes of the heap that each takes beside the characters of its texts. Rounded up from the growth of the heap over
 * 100,000 entries of each kind, after a garbage collection; a test repeats the measurement.
 */
const overhead = { conversation: 600, text: 100, inFlight: 1000 }

/** Milliseconds after which anything is forgotten. */
const lifetime = limits.rememberedTime.value * 60 * 60 * 1000

const noNotes = { notes: [], bytes: 0, cost: 0 }
const nothing: Memory = { late: noNotes, answers: noNotes }

/**
 * Creates an empty state, for a heap of this many bytes. With several processes, all calls of a conversation must reach
 * the same one.
 */
export function createState(heap = getHeapStatistics().heap_size_limit): State {
	// Their number is bounded by the least that one costs. With `max` the cache would reserve memory for all of them.
	const memories = new LRUCache<string, Memory>({
		maxSize: Math.floor((heap * limits.rememberedHeap.value) / 100),
		sizeCalculation: costOf,
	})
	const inFlight = new Map<string, InFlight>()
	const maxInFlight = Math.floor((heap * limits.claimedHeap.value) / 100 / overhead.inFlight)
	let fences = 0

	function recall(conversation: string): Memory {
		return memories.get(conversation) ?? nothing
	}

	/** False: it is too large for the heap. */
	function remember(conversation: string, memory: Memory): boolean {
		const { choices, late, answers } = memory
		if (choices || late.notes.length > 0 || answers.notes.length > 0) {
			return memories.set(conversation, memory).has(conversation)
		}
		memories.delete(conversation)
		return true
	}

	/** Returns the fence of the claim. */
	function hold(key: string, lease: number): number {
		const fence = ++fences
		if (inFlight.size >= maxInFlight) return fence
		const { promise: settled, resolve } = Promise.withResolvers<WireResponse | undefined>()
		const end = (answer: WireResponse | undefined): void => {
			clearTimeout(timer)
			if (inFlight.get(key)?.fence === fence) inFlight.delete(key)
			resolve(answer)
		}
		const timer = setTimeout(end, lease, undefined)
		timer.unref()
		inFlight.set(key, { fence, settled, settle: end })
		return fence
	}

	function release(conversation: string, { call, fence, answer }: NonNullable<Settlement['claim']>): void {
		const mine = inFlight.get(inFlightKey(conversation, call))
		if (mine?.fence !== fence) return
		if (answer) {
			const note = noteOf(answer)
			const added = { ...note, call, cost: note.cost + heapBytes(call) }
			const memory = recall(conversation)
			const answers = withoutOldest(withNote(memory.answers, added), areTooManyAnswers)
			remember(conversation, { ...memory, answers })
		}
		mine.settle(answer)
	}

	function openChoices(conversation: string): OpenChoices {
		const { choices } = recall(conversation)
		return choices && isFresh(choices) ? openChoicesOf(choices.open) : []
	}

	function closeChoices(conversation: string): void {
		const { choices, ...others } = recall(conversation)
		if (choices) remember(conversation, others)
	}

	/** False: choices were forgotten. */
	function addReply(conversation: string, reply: OpenReply, picked: PickedSet | undefined): boolean {
		const { choices, ...others } = recall(conversation)
		if (!choices && reply.offers.length === 0) return true
		const { open, whole } = withReply(choices && isFresh(choices) ? choices.open : [], reply, picked)
		if (open.length > 0) {
			const cost = open.reduce((sum, { turnId, offers }) => sum + heapBytes(turnId) + heapBytes(offers), 0)
			remember(conversation, { ...others, choices: { open, cost, at: performance.now() } })
		} else if (choices) remember(conversation, others)
		return whole
	}

	return {
		async begin(conversation, { claim, choices }) {
			let fence: number | undefined
			if (claim) {
				const key = inFlightKey(conversation, claim.call)
				for (;;) {
					const answer = recall(conversation).answers.notes.findLast(({ call }) => call === claim.call)
					if (answer && isFresh(answer)) return { answer: JSON.parse(answer.text) }
					const other = inFlight.get(key)
					if (!other) break
					await other.settled
				}
				fence = hold(key, claim.lease)
			}
			if (choices === 'close') closeChoices(conversation)
			const open = choices === 'read' ? openChoices(conversation) : []
			return fence === undefined ? { open } : { fence, open }
		},
		async settle(conversation, { claim, reply, picked }) {
			const whole = reply ? addReply(conversation, reply, picked) : true
			if (claim) release(conversation, claim)
			return whole
		},
		async addLateReply(conversation, reply) {
			const memory = recall(conversation)
			const late = withNote(withoutOldest(memory.late), noteOf(reply))
			if (late.notes.length > limits.lateReplies.value || late.bytes > limits.lateRepliesBytes.value) return false
			return remember(conversation, { ...memory, late })
		},
		async takeLateReplies(conversation) {
			const memory = recall(conversation)
			if (memory.late.notes.length === 0) return []
			remember(conversation, { ...memory, late: noNotes })
			return memory.late.notes.filter(isFresh).map(({ text }) => JSON.parse(text))
		},
	}
}

function inFlightKey(conversation: string, call: string): string {
	return `${conversation} ${call}`
}

function noteOf(value: object): Note {
	const text = JSON.stringify(value)
	return { text, bytes: Buffer.byteLength(text), cost: heapBytes(text), at: performance.now() }
}

function isFresh({ at }: Pick<Note, 'at'>): boolean {
	return performance.now() - at < lifetime
}

function withNote<N extends Note>({ notes, bytes, cost }: Notes<N>, note: N): Notes<N> {
	return { notes: [...notes, note], bytes: bytes + note.bytes, cost: cost + note.cost }
}

/** Drops the oldest notes as long as they are out of date or, by default never, too many for what is left. */
function withoutOldest<N extends Note>(
	{ notes, bytes, cost }: Notes<N>,
	areTooMany: (count: number, bytes: number) => boolean = () => false,
): Notes<N> {
	const left = { bytes, cost }
	let first = 0
	for (const note of notes) {
		if (isFresh(note) && !areTooMany(notes.length - first, left.bytes)) break
		first++
		left.bytes -= note.bytes
		left.cost -= note.cost
	}
	return { notes: first === 0 ? notes : notes.slice(first), ...left }
}

function areTooManyAnswers(count: number, bytes: number): boolean {
	return count > limits.rememberedAnswers.value || bytes > limits.rememberedAnswersBytes.value
}

function costOf({ choices, late, answers }: Memory, key: string): number {
	return overhead.conversation + heapBytes(key) + (choices?.cost ?? 0) + late.cost + answers.cost
}

/** Bytes of the heap that a text takes. The engine uses one byte for a unit, unless one of the text's units needs two. */
function heapBytes(text: string): number {
	return overhead.text + text.length * (needsTwoBytes.test(text) ? 2 : 1)
}

const needsTwoBytes = /[\u0100-\uffff]/
