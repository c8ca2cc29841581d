/** What a turn does with the State of its conversation, one step at a time, where a test is about one of them. */
import type { WireResponse } from '../src/format/index.ts'
import type { OpenReply, PickedSet, State } from '../src/runtime.ts'

/** What came of a claim: the fence to settle it with, or the answer that the call got before, or no claim is held. */
export type Claim = { readonly fence: number } | { readonly answer: WireResponse } | { readonly held: false }

/** Claims a call, and does nothing with the choices. */
export async function claim(state: State, conversation: string, call: string, lease: number): Promise<Claim> {
	const begun = await state.begin(conversation, { claim: { call, lease } })
	if ('answer' in begun) return begun
	return begun.fence === undefined ? { held: false } : { fence: begun.fence }
}

/** Ends a claim, and adds no reply. */
export async function settle(
	state: State,
	conversation: string,
	call: string,
	fence: number,
	answer: WireResponse | undefined,
): Promise<void> {
	await state.settle(conversation, { claim: { call, fence, answer } })
}

/** Reads the open choices for a call that is not claimed. */
export async function openChoices(state: State, conversation: string): Promise<OpenReply[]> {
	const begun = await state.begin(conversation, { choices: 'read' })
	if ('answer' in begun) throw new Error('nothing was claimed')
	return begun.open.map(({ turnId, offers }) => ({ turnId, offers: JSON.parse(offers) }))
}

/** Closes the choices for a call that is not claimed. */
export async function closeChoices(state: State, conversation: string): Promise<void> {
	await state.begin(conversation, { choices: 'close' })
}

/** Adds a reply for a call that is not claimed. */
export async function addReply(
	state: State,
	conversation: string,
	reply: OpenReply,
	picked?: PickedSet,
): Promise<boolean> {
	return await state.settle(conversation, { reply, picked })
}
