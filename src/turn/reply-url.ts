/**
 * URLs for replies: whoever has one may send replies into the conversation of one event. What it leads to is encrypted in
 * the URL itself, so that no instance of the gateway has to remember it, and each can open it.
 */
import * as v from 'valibot'
import { limits } from '../limits.ts'
import { Json } from '../model/index.ts'
import type { ReplyUrlSettings } from '../route.ts'
import type { Runtime } from '../runtime.ts'

/** The path of these URLs, up to the sealed part. */
export const replyPath = '/-/reply/'

const Recipient = v.object({
	/** The name of the route. */
	route: v.string(),
	/** The name of the platform's adapter. */
	platform: v.string(),
	/** The key of the conversation in the state. */
	conversation: v.string(),
	/** Where pushes go, by the platform's adapter. Absent: the platform cannot be pushed to. */
	address: v.optional(Json),
})
/** To whom a URL leads. */
export type Recipient = v.InferOutput<typeof Recipient>

/** The recipient and, by the name that JWT (RFC 7519) gives it, the second since 1970 from which the URL is no longer valid. */
const Sealed = v.object({ ...Recipient.entries, exp: v.pipe(v.number(), v.integer()) })
const SealedText = v.pipe(v.string(), v.parseJson(), Sealed)

type Needs = Pick<Runtime, 'compactJwe' | 'crypto' | 'now'>

/** A URL that leads to this recipient. Undefined: it would be too long. */
export async function createReplyUrl(
	recipient: Recipient,
	publicUrl: string,
	{ keys: [key], expiry }: ReplyUrlSettings,
	runtime: Needs,
): Promise<string | undefined> {
	const most = limits.sealedRecipient.value
	const sealed: v.InferOutput<typeof Sealed> = { exp: Math.floor((runtime.now() + expiry) / 1000), ...recipient }
	const text = JSON.stringify(sealed)
	if (text.length > most) return undefined
	const { encryptCompact } = await runtime.compactJwe()
	const token = await encryptCompact(text, key, runtime.crypto)
	return token.length > most ? undefined : `${publicUrl}${replyPath}${token}`
}

/** To whom the sealed part of a URL leads. Undefined: it was made up, changed, or made with another key, or has expired. */
export async function openReplyUrl(
	token: string,
	keys: readonly Uint8Array<ArrayBuffer>[],
	runtime: Needs,
): Promise<Recipient | undefined> {
	if (token.length > limits.sealedRecipient.value) return undefined
	const { decryptCompact } = await runtime.compactJwe()
	const text = await decryptCompact(token, keys, runtime.crypto)
	if (text === undefined) return undefined
	// It may be of an older release.
	const { success, output } = v.safeParse(SealedText, text)
	if (!success || output.exp * 1000 <= runtime.now()) return undefined
	const { exp: _, ...recipient } = output
	return recipient
}
