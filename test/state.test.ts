/** The State of one Node process: what every State does, and the bounds of its memory. */
import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { limits } from '../src/limits.ts'
import type { CanonicalReply } from '../src/model/index.ts'
import { createState } from '../src/node/memory-state.ts'
import type { OpenReply, State } from '../src/runtime.ts'
import { addReply, claim, openChoices, settle } from './state-steps.ts'
import { stateSuite } from './state-suite.ts'

stateSuite('Node', createState)

afterEach(() => void vi.useRealTimers())

/** Bytes of a heap of which the state may take one megabyte. */
const smallHeap = (1_000_000 * 100) / limits.rememberedHeap.value
/** Milliseconds that a test never waits for. */
const long = 60_000

/** One kind of what is remembered: adds a text to a conversation, and tells whether the conversation has any. */
interface Kind {
	readonly kind: string
	add(state: State, conversation: string, text: string): Promise<unknown>
	has(state: State, conversation: string): Promise<boolean>
}

const offering = (label: string): OpenReply => ({
	turnId: 'turn',
	offers: [{ set: 'messages[0]', label, choice: { title: 'Tea', value: 'x7' } }],
})
const replyOf = (text: string): CanonicalReply => ({
	messages: [{ type: 'text', text }],
	attributes: { session: {}, user: {} },
})

const kinds: readonly Kind[] = [
	{
		kind: 'choices',
		add: (state, conversation, text) => addReply(state, conversation, offering(text)),
		has: async (state, conversation) => (await openChoices(state, conversation)).length > 0,
	},
	{
		kind: 'late replies',
		add: (state, conversation, text) => state.addLateReply(conversation, replyOf(text)),
		has: async (state, conversation) => (await state.takeLateReplies(conversation)).length > 0,
	},
	{
		kind: 'answers',
		async add(state, conversation, text) {
			const claimed = await claim(state, conversation, 'call', long)
			if ('fence' in claimed)
				await settle(state, conversation, 'call', claimed.fence, { status: 200, headers: [], body: text })
		},
		has: async (state, conversation) => 'answer' in (await claim(state, conversation, 'call', 0)),
	},
]

/** Adds the text to many conversations, and returns those that are still remembered afterwards. */
async function rememberedOf({ add, has }: Kind, state: State, count: number, text: string): Promise<number[]> {
	for (let i = 0; i < count; i++) await add(state, `c${i}`, text)
	const all = await Promise.all(Array.from({ length: count }, (_, i) => has(state, `c${i}`)))
	return all.flatMap((has, i) => (has ? [i] : []))
}

const conversationsFrom = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => first + i)

describe.each(kinds)('the memory for $kind', (kind) => {
	test('holds the newest conversations, as many as the heap allows, however short their texts are', async () => {
		const remembered = await rememberedOf(kind, createState(smallHeap), 5000, '')
		expect(remembered.length).toBeGreaterThan(500)
		expect(remembered.length).toBeLessThan(1_000_000 / 500)
		expect(remembered).toEqual(conversationsFrom(5000 - remembered.length, 5000))
	})

	test('is bounded in bytes, however few conversations there are', async () => {
		const remembered = await rememberedOf(kind, createState(smallHeap), 60, 'x'.repeat(50_000))
		expect(remembered.length).toBeGreaterThan(15)
		expect(remembered.length).toBeLessThanOrEqual(20)
		expect(remembered).toEqual(conversationsFrom(60 - remembered.length, 60))
	})

	test('counts two bytes for each character of a text that the engine stores so', async () => {
		const narrow = await rememberedOf(kind, createState(smallHeap), 100, `${'ü'.repeat(20_000)}`)
		const wide = await rememberedOf(kind, createState(smallHeap), 100, `${'x'.repeat(20_000)}語`)
		expect(narrow.length).toBeGreaterThan(40)
		expect(wide.length).toBeGreaterThan(20)
		expect(wide.length).toBeLessThanOrEqual(25)
	})

	test('grows with the heap', async () => {
		const large = await rememberedOf(kind, createState(4 * smallHeap), 400, 'x'.repeat(20_000))
		expect(large.length).toBeGreaterThan(160)
		expect(large.length).toBeLessThanOrEqual(200)
	})

	test('forgets after a day', async () => {
		vi.useFakeTimers()
		const state = createState(smallHeap)
		const day = limits.rememberedTime.value * 3_600_000
		await kind.add(state, 'young', 'text')
		await kind.add(state, 'old', 'text')
		vi.advanceTimersByTime(day - 1)
		expect(await kind.has(state, 'young')).toBe(true)
		vi.advanceTimersByTime(1)
		expect(await kind.has(state, 'old')).toBe(false)
	})

	test('takes no more of the real heap than its share', async () => {
		const share = 5_000_000
		for (const text of ['', 'x'.repeat(300), `${'x'.repeat(300)}語`, 'x'.repeat(20_000)]) {
			const state = createState((share * 100) / limits.rememberedHeap.value)
			const before = usedHeap()
			for (let i = 0; i < share / 500; i++) await kind.add(state, `conversation ${i}`, `${i} ${text}`)
			expect(usedHeap() - before).toBeLessThan(share * 1.1)
			expect(await kind.has(state, 'conversation 0')).toBe(false)
		}
	})
})

/** Bytes of the heap in use after a garbage collection. */
function usedHeap(): number {
	setFlagsFromString('--expose-gc')
	runInNewContext('gc')()
	return process.memoryUsage().heapUsed
}

test('all kinds share one bound, and a conversation that is used is not the first to be forgotten', async () => {
	const state = createState(smallHeap)
	for (const { add } of kinds) await add(state, 'used', 'text')
	for (let i = 0; i < 3000; i++) {
		await kinds[i % 3]?.add(state, `c${i}`, 'x'.repeat(300))
		await openChoices(state, 'used')
	}
	for (const { has } of kinds) expect(await has(state, 'used')).toBe(true)
	for (const { has } of kinds) for (let i = 0; i < 1000; i++) expect(await has(state, `c${i}`)).toBe(false)
})

test('each late reply is forgotten a day after it came, whatever came later', async () => {
	vi.useFakeTimers()
	const state = createState(smallHeap)
	const hour = 3_600_000
	for (let i = 0; i < limits.lateReplies.value; i++) await state.addLateReply('c', replyOf('early'))
	vi.advanceTimersByTime(23 * hour)
	expect(await state.addLateReply('c', replyOf('too many'))).toBe(false)
	vi.advanceTimersByTime(hour)
	expect(await state.addLateReply('c', replyOf('later'))).toBe(true)
	expect(await state.takeLateReplies('c')).toEqual([replyOf('later')])
})

test('one conversation leaves room for others, whatever it says', async () => {
	const state = createState(8 * smallHeap)
	for (const { add } of kinds) await add(state, 'other', 'text')
	for (let i = 0; i < 1000; i++) {
		await addReply(state, 'busy', offering('x'.repeat(90_000)))
		await state.addLateReply('busy', replyOf('x'.repeat(9000)))
		const claimed = await claim(state, 'busy', `call ${i}`, long)
		const answer = { status: 200, headers: [], body: 'x'.repeat(100_000) }
		if ('fence' in claimed) await settle(state, 'busy', `call ${i}`, claimed.fence, answer)
	}
	for (const { has } of kinds) expect(await has(state, 'other')).toBe(true)
})

test('calls under way are bounded: beyond, a repeated call does not wait, and its answer is not remembered', async () => {
	// A heap in which two calls fit.
	const state = createState(Math.ceil((2 * 1000 * 100) / limits.claimedHeap.value) + 1)
	const answer = { status: 200, headers: [], body: 'Hello' }
	const fences: number[] = []
	for (const call of ['one', 'two', 'three', 'three']) {
		const claimed = await claim(state, 'c', call, long)
		if ('fence' in claimed) fences.push(claimed.fence)
	}
	expect(new Set(fences).size).toBe(4)
	for (const fence of fences.slice(2)) await settle(state, 'c', 'three', fence, answer)
	expect(await claim(state, 'c', 'three', long)).toEqual({ fence: expect.any(Number) })
	// One of the first two ends: there is room for another, which repeated calls wait for.
	await settle(state, 'c', 'one', fences[0] ?? 0, undefined)
	const four = await claim(state, 'c', 'four', long)
	const again = claim(state, 'c', 'four', long)
	if ('fence' in four) await settle(state, 'c', 'four', four.fence, undefined)
	expect(await again).toEqual({ fence: expect.any(Number) })
})

test('calls whose leases have run out make room for others', async () => {
	const state = createState(Math.ceil((2 * 1000 * 100) / limits.claimedHeap.value) + 1)
	for (const conversation of ['c', 'c', 'other', 'other']) {
		await claim(state, conversation, 'one', 0)
		await claim(state, conversation, 'two', 0)
	}
	const claimed = await claim(state, 'c', 'three', long)
	const again = claim(state, 'c', 'three', long)
	const answer = { status: 200, headers: [], body: 'Hello' }
	if ('fence' in claimed) await settle(state, 'c', 'three', claimed.fence, answer)
	expect(await again).toEqual({ answer })
})

test('a state in a heap too small for a value says so, and goes on', async () => {
	const state = createState((10_000 * 100) / limits.rememberedHeap.value)
	expect(await state.addLateReply('c', replyOf('x'.repeat(20_000)))).toBe(false)
	expect(await state.takeLateReplies('c')).toEqual([])
	await addReply(state, 'c', offering('x'.repeat(20_000)))
	expect(await openChoices(state, 'c')).toEqual([])
	await addReply(state, 'c', offering('Tea'))
	expect(await openChoices(state, 'c')).toEqual([offering('Tea')])
})

test('the page for Node says how many conversations are remembered', async () => {
	const page = readFileSync(new URL('../docs/deploy-node.md', import.meta.url), 'utf8')
	const [, told] = /--max-old-space-size=128` holds some ([\d,]+) conversations/.exec(page) ?? []
	// What Node 24 reports as its limit: the old generation, and what it reserves for the young one.
	const state = createState((128 + 192) * 1024 * 1024)
	const choices = Array.from({ length: 10 }, (_, i) => ({ title: `Choice ${i}`, value: `value of choice ${i}` }))
	const offers = choices.map((choice) => ({ set: 'messages[0]', label: choice.title, choice }))
	const body = JSON.stringify({ messages: [{ type: 'choices', text: 'Which one do you like best?', choices }] })
	const count = 20_000
	for (let i = 0; i < count; i++) {
		const conversation = `shop conversation-${i}`
		await addReply(state, conversation, { turnId: `turn_${'f'.repeat(36)}`, offers })
		const claimed = await claim(state, conversation, 'f'.repeat(64), long)
		if ('fence' in claimed)
			await settle(state, conversation, 'f'.repeat(64), claimed.fence, { status: 200, headers: [], body })
	}
	let remembered = 0
	for (let i = 0; i < count; i++) if ((await openChoices(state, `shop conversation-${i}`)).length > 0) remembered++
	const figure = Number(told?.replace(',', ''))
	expect(remembered / figure).toBeGreaterThan(0.9)
	expect(remembered / figure).toBeLessThan(1.1)
})
