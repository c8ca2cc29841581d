/**
 * The open choices of a conversation as a store of several Nodes keeps them: its last replies, each as a text that is
 * never changed. What a pick closed is worked out when they are read, so that a reply is added without reading any.
 */
import { limits } from '../../limits.ts'
import type { OpenChoices, OpenReply, PickedSet } from '../../runtime.ts'
import { withReply, withStoredReply } from '../../turn/index.ts'

/** The first line of such a text. The second is the JSON of the offers: a store measures it, and never parses it. */
type Head = readonly [turnId: string, picked: PickedSet | null]

/** What to store of a reply. `whole`: all that it offers. */
export function storedReply(
	{ turnId, offers }: OpenReply,
	picked: PickedSet | undefined,
): { readonly text: string; readonly whole: boolean } {
	const { open, whole } = withReply([], { turnId, offers }, undefined)
	const head: Head = [turnId, picked ?? null]
	return { text: `${JSON.stringify(head)}\n${open[0]?.offers ?? '[]'}`, whole }
}

/** The choices that stored replies, newest first, leave open. */
export function openIn(replies: readonly string[]): OpenChoices {
	return replies.slice(0, limits.openReplies.value).reduceRight<OpenChoices>((open, text) => {
		const end = text.indexOf('\n')
		const [turnId, picked]: Head = JSON.parse(text.slice(0, end))
		return withStoredReply(open, { turnId, offers: text.slice(end + 1) }, picked ?? undefined).open
	}, [])
}
