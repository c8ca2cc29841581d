/**
 * The state of recent conversations in the memory of this process. It is kept as text, which takes a fraction of the
 * memory of objects, and its bounds follow the heap.
 */
import { getHeapStatistics } from 'node:v8'
import { LRUCache } from 'lru-cache'
import type { WireResponse } from '../format/index.ts'
import { limits } from '../limits.ts'
import type { OpenChoices, OpenReply, PickedSet, State } from '../runtime.ts'
import { withReply } from '../turn/index.ts'
import { createCallsUnderWay } from './calls-under-way.ts'

/** What is remembered of a conversation. */
interface Memory {
	readonly choices: Choices | undefined
	readonly late: Notes<Note>
	readonly answers: Notes<Answer>
}

interface Choices {
	/** Newest first. */
	readonly open: OpenChoices
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

/** The answer to a call. */
interface Answer extends Omit<Note, 'text'> {
	readonly call: string
	readonly answer: WireResponse
}

type Weighed = Pick<Note, 'bytes' | 'cost' | 'at'>

/** Notes, oldest first, and what they sum up to. */
interface Notes<N extends Weighed> {
	readonly notes: readonly N[]
	readonly bytes: number
	readonly cost: number
}

/**
 * Bytes of the heap that each takes beside the characters of its texts. Rounded up from the growth of the heap over
 * 100,000 entries of each kind, after a garbage collection; a test repeats the measurement.
 */
const overhead = { conversation: 600, text: 100, inFlight: 1000 }

/** Milliseconds after which anything is forgotten. */
const lifetime = limits.rememberedTime.value * 60 * 60 * 1000

const noneOpen: OpenChoices = []
const noNotes = { notes: [], bytes: 0, cost: 0 }
const nothing: Memory = { choices: undefined, late: noNotes, answers: noNotes }

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
	const underWay = createCallsUnderWay(Math.floor((heap * limits.claimedHeap.value) / 100 / overhead.inFlight))

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

	return {
		async begin(conversation, { claim, choices }) {
			let memory = recall(conversation)
			let fence: number | undefined
			if (claim) {
				for (;;) {
					const known = memory.answers.notes.findLast(({ call }) => call === claim.call)
					if (known && isFresh(known)) return { answer: known.answer }
					const settled = underWay.settled(conversation, claim.call)
					if (!settled) break
					await settled
					memory = recall(conversation)
				}
				fence = underWay.hold(conversation, claim)
			}
			if (choices === 'close' && memory.choices) remember(conversation, { ...memory, choices: undefined })
			const open = choices === 'read' ? openIn(memory) : noneOpen
			return fence === undefined ? { open } : { fence, open }
		},
		async settle(conversation, { claim, reply, picked }) {
			const memory = recall(conversation)
			const { choices, whole } = reply ? choicesWith(memory, reply, picked) : { choices: memory.choices, whole: true }
			const isStored = claim !== undefined && underWay.release(conversation, claim) && claim.answer !== undefined
			const answers = isStored ? answersWith(memory, claim.call, claim.answer) : memory.answers
			if (choices !== memory.choices || isStored) remember(conversation, { choices, late: memory.late, answers })
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

function openIn({ choices }: Memory): OpenChoices {
	return choices && isFresh(choices) ? choices.open : noneOpen
}

/** The choices after one more reply. `whole`: none were forgotten. */
function choicesWith(
	memory: Memory,
	reply: OpenReply,
	picked: PickedSet | undefined,
): { readonly choices: Choices | undefined; readonly whole: boolean } {
	if (!memory.choices && reply.offers.length === 0) return { choices: undefined, whole: true }
	const { open, whole } = withReply(openIn(memory), reply, picked)
	if (open.length === 0) return { choices: undefined, whole }
	let cost = 0
	for (const { turnId, offers } of open) cost += heapBytes(turnId) + heapBytes(offers)
	return { choices: { open, cost, at: performance.now() }, whole }
}

function answersWith({ answers }: Memory, call: string, answer: WireResponse): Memory['answers'] {
	const bytes = Buffer.byteLength(answer.body) + overhead.text
	let cost = heapBytes(call) + heapBytes(answer.body)
	for (const [name, value] of answer.headers) cost += heapBytes(name) + heapBytes(value)
	const added = { call, answer, bytes, cost, at: performance.now() }
	return withoutOldest(withNote(answers, added), areTooManyAnswers)
}

function noteOf(value: object): Note {
	const text = JSON.stringify(value)
	return { text, bytes: Buffer.byteLength(text), cost: heapBytes(text), at: performance.now() }
}

function isFresh({ at }: Pick<Note, 'at'>): boolean {
	return performance.now() - at < lifetime
}

function withNote<N extends Weighed>({ notes, bytes, cost }: Notes<N>, note: N): Notes<N> {
	// A list that is spread before another item gets room for seventeen more.
	return { notes: notes.concat([note]), bytes: bytes + note.bytes, cost: cost + note.cost }
}

/** Drops the oldest notes while they are out of date, or while `areTooMany` says so of the count and the bytes that are left. */
function withoutOldest<N extends Weighed>(
	{ notes, bytes, cost }: Notes<N>,
	areTooMany: (count: number, bytes: number) => boolean = () => false,
): Notes<N> {
	const left = { notes, bytes, cost }
	let first = 0
	for (const note of notes) {
		if (isFresh(note) && !areTooMany(notes.length - first, left.bytes)) break
		first++
		left.bytes -= note.bytes
		left.cost -= note.cost
	}
	if (first > 0) left.notes = notes.slice(first)
	return left
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
