/** What every runtime's State does. Knows no runtime itself: it is run wherever the State is. */
import { describe, expect, test } from 'vitest'
import type { Offer } from '../src/fit/index.ts'
import { limits } from '../src/limits.ts'
import type { CanonicalReply } from '../src/model/index.ts'
import type { OpenReply, State } from '../src/runtime.ts'
import { addReply, type Claim, claim, closeChoices, openChoices, settle } from './state-steps.ts'

const answer = (body: string) => ({ status: 200, headers: [['content-type', 'text/plain'] as const], body })
const offer: Offer = { set: 'messages[0]', label: 'Tea', choice: { title: 'Tea', value: 'x7' }, number: 1 }
const offered = (turnId: string, ...offers: Offer[]): OpenReply => ({ turnId, offers })
/** Milliseconds that a test never waits for. */
const long = 60_000

function fenceOf(claim: Claim): number {
	if ('fence' in claim) return claim.fence
	throw new Error('is answered already')
}

/** Registers the tests for a State that `create` makes, empty or with memories of other conversations. */
export function stateSuite(name: string, create: () => State): void {
	let conversations = 0
	const fresh = () => ({ state: create(), c: `conversation ${name} ${++conversations}` })

	describe(`${name}: late replies`, () => {
		const reply = (text: string): CanonicalReply => ({
			messages: [{ type: 'text', text }],
			attributes: { session: {}, user: {} },
		})

		test('they are returned once, oldest first, to their own conversation', async () => {
			const { state, c } = fresh()
			expect(await state.takeLateReplies(c)).toEqual([])
			expect(await state.addLateReply(c, reply('one'))).toBe(true)
			expect(await state.addLateReply(c, reply('two'))).toBe(true)
			expect(await state.takeLateReplies(`${c} other`)).toEqual([])
			expect(await state.takeLateReplies(c)).toEqual([reply('one'), reply('two')])
			expect(await state.takeLateReplies(c)).toEqual([])
		})

		test('of concurrent requests, one gets them', async () => {
			const { state, c } = fresh()
			await state.addLateReply(c, reply('one'))
			const taken = await Promise.all([1, 2, 3].map(() => state.takeLateReplies(c)))
			expect(taken.flat()).toEqual([reply('one')])
		})

		test('their number is limited', async () => {
			const { state, c } = fresh()
			for (let i = 0; i < limits.lateReplies.value; i++)
				expect(await state.addLateReply(c, reply(String(i)))).toBe(true)
			expect(await state.addLateReply(c, reply('more'))).toBe(false)
			expect(await state.takeLateReplies(c)).toHaveLength(limits.lateReplies.value)
			expect(await state.addLateReply(c, reply('again'))).toBe(true)
		})
	})

	describe(`${name}: sizes`, () => {
		const late = (text: string): CanonicalReply => ({
			messages: [{ type: 'text', text }],
			attributes: { session: {}, user: {} },
		})
		const most = limits.lateRepliesBytes.value

		test.each([
			['of one byte', 'x'],
			['of two bytes', 'ü'],
			['of three bytes', '語'],
			['of four bytes', '🎈'],
		])(
			'late replies of a conversation have at most so many bytes together, also with characters %s',
			async (_, unit) => {
				const { state, c } = fresh()
				const bytes = new TextEncoder().encode(unit).byteLength
				const part = late(unit.repeat(Math.floor((most * 0.4) / bytes)))
				expect(await state.addLateReply(c, late(unit.repeat(Math.ceil(most / bytes))))).toBe(false)
				expect(await state.addLateReply(c, part)).toBe(true)
				expect(await state.addLateReply(c, part)).toBe(true)
				expect(await state.addLateReply(c, part)).toBe(false)
				expect(await state.addLateReply(c, late('short'))).toBe(true)
				expect(await state.takeLateReplies(c)).toEqual([part, part, late('short')])
				expect(await state.addLateReply(c, part)).toBe(true)
			},
		)

		test('a late reply that is large in attributes, buttons or overrides is weighed, too', async () => {
			const { state, c } = fresh()
			const text = 'x'.repeat(most)
			const none = { session: {}, user: {} }
			const button = { type: 'postback', title: text, value: 'v' } as const
			const all: CanonicalReply[] = [
				{ messages: [], attributes: { session: { text }, user: {} } },
				{ messages: [], attributes: { session: {}, user: { [text]: 1 } } },
				{ messages: [{ type: 'text', text: 'Hi', buttons: [button] }], attributes: none },
				{ messages: [], attributes: none, overrides: { own: { text } } },
				{ messages: Array.from({ length: most / 20 }, () => ({ type: 'text', text: 'x' })), attributes: none },
			]
			for (const each of all) expect(await state.addLateReply(c, each)).toBe(false)
			expect(await state.takeLateReplies(c)).toEqual([])
		})

		test('choices that are too large together are forgotten from the oldest on, which the state reports', async () => {
			const { state, c } = fresh()
			const large = (title: string): Offer => ({
				...offer,
				choice: { title, value: 'x'.repeat(limits.openChoicesBytes.value * 0.4) },
			})
			const [one, two, three] = [offered('t1', large('1')), offered('t2', large('2')), offered('t3', large('3'))]
			expect(await addReply(state, c, offered('small', offer))).toBe(true)
			expect(await addReply(state, c, one)).toBe(true)
			expect(await addReply(state, c, two)).toBe(true)
			expect(await addReply(state, c, three)).toBe(false)
			expect(await openChoices(state, c)).toEqual([three, two])
			expect(await addReply(state, c, offered('huge', large('a'), large('b'), large('c')))).toBe(false)
			expect(await openChoices(state, c)).toEqual([offered('huge'), three, two])
		})

		test('answers of a conversation are forgotten beyond a number and beyond a size, the oldest first', async () => {
			const { state, c } = fresh()
			const settled = async (key: string, call: string, body: string) =>
				settle(state, key, call, fenceOf(await claim(state, key, call, long)), answer(body))
			const known = async (key: string, call: string) => 'answer' in (await claim(state, key, call, 0))
			const [count, bytes] = [limits.rememberedAnswers.value, limits.rememberedAnswersBytes.value]
			for (let i = 0; i <= count; i++) await settled(c, `call ${i}`, 'x')
			expect(await known(c, 'call 0')).toBe(false)
			expect(await known(c, 'call 1')).toBe(true)
			expect(await known(c, `call ${count}`)).toBe(true)
			for (const unit of ['x', 'ü', '語']) {
				const body = unit.repeat((bytes * 0.4) / new TextEncoder().encode(unit).byteLength)
				for (const call of ['one', 'two', 'three']) await settled(`${c} ${unit}`, call, body)
				expect(await known(`${c} ${unit}`, 'one')).toBe(false)
				expect(await known(`${c} ${unit}`, 'two')).toBe(true)
				expect(await known(`${c} ${unit}`, 'three')).toBe(true)
			}
			await settled(`${c} alone`, 'large', 'x'.repeat(bytes))
			expect(await known(`${c} alone`, 'large')).toBe(false)
		})
	})

	describe(`${name}: calls that come again`, () => {
		test('the first call gets the claim, and later ones get its answer', async () => {
			const { state, c } = fresh()
			const fence = fenceOf(await claim(state, c, 'call', long))
			await settle(state, c, 'call', fence, answer('first'))
			expect(await claim(state, c, 'call', long)).toEqual({ answer: answer('first') })
			expect(await claim(state, c, 'call', 0)).toEqual({ answer: answer('first') })
		})

		test('calls that arrive meanwhile wait, and all get the same answer', async () => {
			const { state, c } = fresh()
			const fence = fenceOf(await claim(state, c, 'call', long))
			const waiting = [1, 2, 3].map(() => claim(state, c, 'call', long))
			const early = await Promise.race([...waiting, new Promise((done) => setTimeout(done, 50, 'nobody'))])
			expect(early).toBe('nobody')
			await settle(state, c, 'call', fence, answer('first'))
			for (const each of await Promise.all(waiting)) expect(each).toEqual({ answer: answer('first') })
		})

		test('if the first fails, exactly one of the waiting calls gets the claim', async () => {
			const { state, c } = fresh()
			const fence = fenceOf(await claim(state, c, 'call', long))
			const waiting = [1, 2, 3].map(() => claim(state, c, 'call', long))
			await settle(state, c, 'call', fence, undefined)
			const next = fenceOf(await Promise.race(waiting))
			expect(next).not.toBe(fence)
			await settle(state, c, 'call', next, answer('second'))
			const all = await Promise.all(waiting)
			expect(all.filter((claim) => 'fence' in claim)).toHaveLength(1)
			expect(all.filter((claim) => 'answer' in claim)).toHaveLength(2)
		})

		test('a lease that runs out passes the claim on, and the old fence changes nothing', async () => {
			const { state, c } = fresh()
			const old = fenceOf(await claim(state, c, 'call', 20))
			const next = fenceOf(await claim(state, c, 'call', long))
			await settle(state, c, 'call', old, answer('late'))
			await settle(state, c, 'call', old, undefined)
			await settle(state, c, 'call', next, answer('in time'))
			await settle(state, c, 'call', old, answer('late'))
			await settle(state, c, 'call', next, answer('again'))
			expect(await claim(state, c, 'call', long)).toEqual({ answer: answer('in time') })
		})

		test('an answer after the lease is not stored, even without another call', async () => {
			const { state, c } = fresh()
			const fence = fenceOf(await claim(state, c, 'call', 10))
			await new Promise((done) => setTimeout(done, 60))
			await settle(state, c, 'call', fence, answer('late'))
			expect(await claim(state, c, 'call', long)).toEqual({ fence: expect.any(Number) })
		})

		test('other calls and other conversations are not affected', async () => {
			const { state, c } = fresh()
			await settle(state, c, 'call', fenceOf(await claim(state, c, 'call', long)), answer('first'))
			expect(await claim(state, c, 'another', long)).toEqual({ fence: expect.any(Number) })
			expect(await claim(state, `${c}, another`, 'call', long)).toEqual({ fence: expect.any(Number) })
		})

		test('several calls at the same time are each answered by their own claim', async () => {
			const { state, c } = fresh()
			const calls = ['one', 'two', 'three']
			const fences = await Promise.all(calls.map(async (call) => fenceOf(await claim(state, c, call, long))))
			const again = calls.map((call) => claim(state, c, call, long))
			for (const i of [1, 0, 2]) await settle(state, c, calls[i] ?? '', fences[i] ?? 0, answer(`of ${calls[i]}`))
			expect(await Promise.all(again)).toEqual(calls.map((call) => ({ answer: answer(`of ${call}`) })))
		})

		test('an answer comes back byte for byte', async () => {
			const { state, c } = fresh()
			const given = {
				status: 201,
				headers: [
					['a', '1'],
					['a', '2'],
				] as const,
				body: '{"a":"\u0000 ü 🎈 \\ "}',
			}
			await settle(state, c, 'ü"\u0000', fenceOf(await claim(state, c, 'ü"\u0000', long)), given)
			expect(await claim(state, c, 'ü"\u0000', long)).toEqual({ answer: given })
		})
	})

	describe(`${name}: open choices`, () => {
		test('come from the last replies, newest first; replies without choices count, too', async () => {
			const { state, c } = fresh()
			expect(await openChoices(state, c)).toEqual([])
			await addReply(state, c, offered('t1', offer))
			await addReply(state, c, offered('t2'))
			expect(await openChoices(state, c)).toEqual([offered('t2'), offered('t1', offer)])
			expect(await openChoices(state, `${c}, another`)).toEqual([])
		})

		test('are forgotten after some replies without choices', async () => {
			const { state, c } = fresh()
			await addReply(state, c, offered('t1', offer))
			for (let i = 0; i < 10; i++) await addReply(state, c, offered(`later ${i}`))
			expect(await openChoices(state, c)).toEqual([])
		})

		test('a pick closes its set, and no other', async () => {
			const { state, c } = fresh()
			const second = { ...offer, set: 'messages[1]' }
			await addReply(state, c, offered('t1', offer, offer, second))
			await addReply(state, c, offered('t2', offer))
			await addReply(state, c, offered('t3', offer), { turnId: 't1', set: 'messages[0]' })
			expect(await openChoices(state, c)).toEqual([offered('t3', offer), offered('t2', offer), offered('t1', second)])
			await addReply(state, c, offered('t4'), { turnId: 'forgotten', set: 'messages[0]' })
			expect(await openChoices(state, c)).toHaveLength(4)
		})

		test('a reply that is added twice in a row, because its result was lost, counts once', async () => {
			const { state, c } = fresh()
			await addReply(state, c, offered('t1', offer))
			for (let i = 0; i < 2; i++) {
				expect(await addReply(state, c, offered('t2', offer), { turnId: 't1', set: 'messages[0]' })).toBe(true)
			}
			expect(await openChoices(state, c)).toEqual([offered('t2', offer), offered('t1')])
		})

		test('are read, or closed, with the claim of the call', async () => {
			const { state, c } = fresh()
			const turn = (call: string, choices: 'read' | 'close') =>
				state.begin(c, { claim: { call, lease: long }, choices })
			await addReply(state, c, offered('t1', offer))
			expect(await turn('one', 'read')).toEqual({
				fence: expect.any(Number),
				open: [{ turnId: 't1', offers: JSON.stringify([offer]) }],
			})
			expect(await turn('two', 'close')).toEqual({ fence: expect.any(Number), open: [] })
			expect(await turn('three', 'read')).toEqual({ fence: expect.any(Number), open: [] })
		})

		test('are not closed by a call that was answered before', async () => {
			const { state, c } = fresh()
			const start = { claim: { call: 'start', lease: long }, choices: 'close' } as const
			const begun = await state.begin(c, start)
			const fence = 'fence' in begun ? begun.fence : undefined
			const reply = offered('t1', offer)
			await state.settle(c, {
				...(fence !== undefined && { claim: { call: 'start', fence, answer: answer('Hi') } }),
				reply,
			})
			expect(await state.begin(c, start)).toEqual({ answer: answer('Hi') })
			expect(await openChoices(state, c)).toEqual([reply])
		})

		test('are added also when the claim of their turn has expired', async () => {
			const { state, c } = fresh()
			const fence = fenceOf(await claim(state, c, 'call', 10))
			await new Promise((done) => setTimeout(done, 60))
			const settled = await state.settle(c, {
				claim: { call: 'call', fence, answer: answer('late') },
				reply: offered('t1', offer),
			})
			expect(settled).toBe(true)
			expect(await openChoices(state, c)).toEqual([offered('t1', offer)])
			expect(await claim(state, c, 'call', long)).toEqual({ fence: expect.any(Number) })
		})

		test('all of a conversation are closed at once', async () => {
			const { state, c } = fresh()
			await closeChoices(state, c)
			await addReply(state, c, offered('t1', offer))
			await addReply(state, `${c}, another`, offered('t1', offer))
			await closeChoices(state, c)
			expect(await openChoices(state, c)).toEqual([])
			expect(await openChoices(state, `${c}, another`)).toHaveLength(1)
		})
	})
}
