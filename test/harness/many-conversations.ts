/**
 * Remembers as many conversations as its argument says, in a state of its own, each with ten choices, a late reply and an
 * answer. Tells the bytes of the heap in use after each tenth of them, a line each. Needs --expose-gc.
 */
import { createState } from '../../src/node/memory-state.ts'
import { addReply, claim, settle } from '../state-steps.ts'

const conversations = Number(process.argv[2])
const state = createState()
const choices = Array.from({ length: 10 }, (_, i) => ({ title: `Choice ${i}`, value: `value of choice ${i}` }))
const offers = choices.map((choice) => ({ set: 'messages[0]', label: choice.title, choice }))
const body = JSON.stringify({ messages: [{ type: 'choices', text: 'Which one do you like best?', choices }] })
const answer = { status: 200, headers: [['content-type', 'application/json'] as const], body }
const late = {
	messages: [{ type: 'text' as const, text: 'Sorry for being late' }],
	attributes: { session: {}, user: {} },
}

for (let i = 1; i <= conversations; i++) {
	const [conversation, call] = [`shop conversation-${i}`, `call ${i}`]
	const claimed = await claim(state, conversation, call, 10_000)
	await addReply(state, conversation, { turnId: `turn ${i}`, offers })
	await state.addLateReply(conversation, late)
	if ('fence' in claimed) await settle(state, conversation, call, claimed.fence, answer)
	if (i % Math.ceil(conversations / 10) === 0) {
		globalThis.gc?.()
		console.log(process.memoryUsage().heapUsed)
	}
}
