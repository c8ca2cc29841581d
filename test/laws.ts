/** The laws that every format obeys, as plain functions that throw when one is broken. */
import * as v from 'valibot'
import { GatewayError } from '../src/errors.ts'
import { type FitContext, fitEvent, fitReply, labelKey } from '../src/fit/index.ts'
import type { Fitted } from '../src/fit/types.ts'
import {
	type Adapter,
	type Crypto,
	fieldPath,
	type Leg,
	type PushCall,
	type ReplyLeg,
	type WireRequest,
	type WireResponse,
} from '../src/format/index.ts'
import { mediaType } from '../src/format/wire.ts'
import { CanonicalEvent, CanonicalReply, type Change } from '../src/model/index.ts'
import type { OpenChoices } from '../src/runtime.ts'
import { resolveChoice } from '../src/turn/choices.ts'
import { expectSame, expectValid, firstDifference, inShort } from './broken-law.ts'
import { type Leaf, leavesOf, standingIn, stringsOf } from './leaves.ts'

/** The turn in which the laws and the fixtures fit their values. */
const lawContext: FitContext = { turnId: 'turn-1', receivedAt: '2026-01-02T03:04:05.000Z' }

/** What a leg writes: an HTTP message, or the calls of a push. */
export type Wire = WireRequest | WireResponse | readonly PushCall[]

/** One leg under test, with all that the laws need to know of it. */
export interface Side<W extends Wire, Model> {
	readonly name: 'event' | 'reply'
	readonly leg: Leg<W, Model>
	readonly fit: (model: Model) => Fitted<Model>
	/** The strict schema of the model. */
	readonly model: v.GenericSchema
	/** The platform's own limits, from its documents: a schema of what `contentOf` reads. */
	readonly limits?: v.GenericSchema
	/** UTF-8 bytes that the body may have. */
	readonly bytes?: number
	/** The format of the upstream that a reply was decoded from: its native parts count, too. */
	readonly decodedFrom?: string
	/** Whether the platform makes such a call at all. */
	readonly isCall?: (wire: W) => boolean
}

export function eventSide(adapter: Adapter, limits?: v.GenericSchema): Side<WireRequest, CanonicalEvent> {
	const leg = adapter.event
	return {
		name: 'event',
		leg,
		fit: (event) => fitEvent(event, leg, lawContext),
		model: CanonicalEvent,
		...(limits && { limits }),
		...bytesOf(leg.carries.event),
		isCall: (wire) =>
			adapter.methods.some((method) => method === wire.method) &&
			adapter.recognises?.(wire) !== false &&
			adapter.challenge?.(wire) === undefined,
	}
}

export function replySide<W extends WireResponse | readonly PushCall[]>(
	leg: ReplyLeg<W>,
	limits?: v.GenericSchema,
	decodedFrom?: string,
): Side<W, CanonicalReply> {
	const context = decodedFrom === undefined ? lawContext : { ...lawContext, decodedFrom }
	return {
		name: 'reply',
		leg,
		fit: (reply) => fitReply(reply, leg, context),
		...(decodedFrom !== undefined && { decodedFrom }),
		model: CanonicalReply,
		...(limits && { limits }),
		...bytesOf(leg.carries.reply),
	}
}

function bytesOf(limit: { bytes?: number } | undefined): { bytes?: number } {
	return limit?.bytes === undefined ? {} : { bytes: limit.bytes }
}

/** Law 1. A fitted value comes back from the wire as it was, and nothing on the wire stays unread. */
export function roundTrip<W extends Wire, M>({ name, leg, fit }: Side<W, M>, x: M): void {
	const fitted = fit(x).value
	const { model, unread } = leg.decode(leg.encode(fitted))
	expectSame(model, fitted, 'decode(encode(f))', name)
	if (unread.length > 0) throw new Error(`decode does not read what encode wrote at ${unread.join(', ')}`)
}

/** Law 2. A fitted value is of the model, and fits as it stands. */
export function idempotence<W extends Wire, M>({ name, fit, model }: Side<W, M>, x: M): void {
	const fitted = fit(x).value
	expectValid(model, fitted, 'fit(x) is not of the model')
	const again = fit(fitted)
	expectSame(again.value, fitted, 'fit(f)', name)
	if (again.changes.length > 0) throw new Error(`fit(f) reports changes: ${describe(again.changes)}`)
}

/** Law 3. The value is changed if and only if changes are reported. */
export function within<W extends Wire, M>({ name, leg, fit }: Side<W, M>, x: M): void {
	const { value, changes } = fit(x)
	const given = addressed(x, leg)
	const reported = changes.filter(({ path }) => isAddressed(path, leg))
	if (reported.length === 0) expectSame(addressed(value, leg), given, 'fit reports no change, but', name)
	else if (!firstDifference(given, addressed(value, leg))) {
		throw new Error(`fit reports ${describe(reported)}, but changed nothing`)
	}
}

/** What the laws look at beside a value: what its format carries. */
type Ear = Pick<Leg<never, unknown>, 'native'> & {
	readonly carries: { readonly [feature: string]: unknown }
	readonly decodedFrom?: string | undefined
}

// Not meant for this format are other formats' overrides, and the words for where an element cannot be shown.
function isAddressed(path: string, { carries, native, decodedFrom }: Ear): boolean {
	if (/^(messages|defaultReply)\[\d+\]\.instead$/.test(path)) return carries['reply.instead'] !== undefined
	if (path === 'overrides' || !covers('overrides', path) || carries['reply.overrides']) return true
	return [native?.name, decodedFrom].some((name) => name !== undefined && covers(fieldPath(['overrides', name]), path))
}

/** The value without what is not meant for the format. */
function addressed(model: unknown, ear: Ear): unknown {
	const keep = (value: object, at: readonly (string | number)[]) =>
		Object.fromEntries(Object.entries(value).filter(([key]) => isAddressed(fieldPath([...at, key]), ear)))
	if (typeof model !== 'object' || model === null) return model
	return Object.fromEntries(
		Object.entries(model).flatMap(([key, member]) => {
			if (key === 'messages' || key === 'defaultReply') {
				return [[key, member.map((message: object, i: number) => keep(message, [key, i]))]]
			}
			if (key !== 'overrides') return [[key, member]]
			const own = keep(member, [key])
			return Object.keys(own).length === 0 ? [] : [[key, own]]
		}),
	)
}

const keepsWords = new Set<Change['did']>(['split', 'merged', 'converted', 'escaped'])
const losesWords = new Set<Change['did']>(['dropped', 'shortened'])

/** Law 4. Every leaf of a value stands in what fit made of it, or a change names it; only named losses lose words. */
export function conservation<W extends Wire, M>({ leg, fit, decodedFrom }: Side<W, M>, x: M): void {
	const { value, changes, offers } = fit(x)
	const standing = standingIn(value, ...offers.map(({ choice }) => choice))
	const leaves = leavesOf(addressed(x, { ...leg, decodedFrom }))
	const named = (leaf: Leaf, by: ReadonlySet<Change['did']>) =>
		changes.some(({ did, path }) => by.has(did) && (covers(path, leaf.path) || covers(path, leaf.repaired)))
	const isGone = (leaf: Leaf) => named(leaf, losesWords) || leaf.is === 'mark'
	for (const leaf of leaves) {
		if (standing.has(leaf) || named(leaf, losesWords)) continue
		// Words may stand within a longer text; a value that is another value is a change.
		const mayStand = leaf.is === 'words' || named(leaf, keepsWords)
		if (mayStand && (leaf.is === 'mark' || standing.says(leaf))) continue
		// A delay goes with the last of its message.
		const holder = leaf.path.slice(0, -'.delay'.length)
		if (leaf.name === 'delay' && leaves.filter(({ path }) => covers(holder, path)).every(isGone)) continue
		const reported = describe(changes) || 'none'
		throw new Error(`fit lost ${leaf.path} (${inShort(leaf.value)}), and no change names it; the changes: ${reported}`)
	}
}

function covers(path: string, leaf: string): boolean {
	return path !== '' && leaf.startsWith(path) && (leaf.length === path.length || /[.[]/.test(leaf[path.length] ?? ''))
}

function describe(changes: readonly Change[]): string {
	return changes.map(({ path, did }) => `${path} ${did}`).join(', ')
}

const loose = /^[\u200d\u0300-\u036f\ufe0f]|\u200d$/
const broken = (text: string) => !text.isWellFormed() || loose.test(text)

/**
 * Conservation across formats: what an upstream of one format answers stands in what another platform is sent, or a
 * change names it, native parts included. What `decode` cannot express is named by `unread`.
 */
export function conservationAcross<M>(from: Side<WireResponse, M>, to: Side<WireResponse, M>, x: M): void {
	const { model } = from.leg.decode(from.leg.encode(from.fit(x).value))
	conservation(to, model)
}

/** Law 5. A cut never parts a grapheme: no half of a character is there that was not there before. */
export function graphemes<W extends Wire, M>({ fit }: Side<W, M>, x: M): void {
	if (stringsOf(x).some(broken)) return
	const halves = stringsOf(fit(x).value).filter(broken)
	if (halves.length > 0) throw new Error(`fit cut a character in two: ${inShort(halves)}`)
}

/** Law 6. What encode writes is within the platform's own limits. */
export function limits<W extends Wire, M>(side: Side<W, M>, x: M): void {
	const wire = side.leg.encode(side.fit(x).value)
	const messages: readonly (WireRequest | WireResponse | PushCall)[] = 'body' in wire ? [wire] : wire
	let bytes = 0
	for (const { body, headers } of messages) {
		if (!body.isWellFormed()) throw new Error('encode(f) has a body with an unpaired surrogate')
		const name = headers.map(([name]) => name).find((name) => name !== name.toLowerCase())
		if (name !== undefined) throw new Error(`encode(f) has a header whose name is not in lower case: ${name}`)
		bytes += new TextEncoder().encode(body).length
	}
	if (side.bytes !== undefined && bytes > side.bytes) {
		throw new Error(`encode(f) has ${bytes} bytes, and carries allows ${side.bytes}`)
	}
	if (side.isCall?.(wire) === false) {
		throw new Error('encode(f) is no call of this platform: see methods, recognises and challenge')
	}
	const content = 'body' in wire ? contentOf(wire) : wire.map(contentOfCall)
	if (side.limits) expectValid(side.limits, content, 'encode(f) breaks the limits of the platform')
}

/** What an API is asked for, for a schema of limits. */
function contentOfCall({ method, path, body, lookup }: PushCall): unknown {
	const isPath = (text: string) => text.startsWith('/') && new URL(`http://api.test${text}`).href.endsWith(text)
	for (const each of [path, lookup?.path ?? path]) if (!isPath(each)) throw new Error(`no path of a call: ${each}`)
	return { method, path, ...(body !== '' && { body: JSON.parse(body) }), ...(lookup && { lookup }) }
}

/** What a message says, for a schema of limits: JSON as a value, a form or a query as an object of strings. */
function contentOf(wire: WireRequest | WireResponse): unknown {
	if (mediaType(wire) === 'application/x-www-form-urlencoded') return Object.fromEntries(new URLSearchParams(wire.body))
	if (wire.body !== '') return JSON.parse(wire.body)
	return 'query' in wire ? Object.fromEntries(wire.query) : undefined
}

/** Law 7. Whatever arrives becomes a value of the model that obeys law 1, or a documented error. */
export function totality<W extends Wire, M>(side: Side<W, M>, wire: W): void {
	let decoded: ReturnType<typeof side.leg.decode>
	try {
		decoded = side.leg.decode(wire)
	} catch (thrown) {
		if (thrown instanceof GatewayError && thrown.code !== 'internal') return
		throw new Error(`decode threw ${thrown}, and not a GatewayError with a code of its own`, { cause: thrown })
	}
	expectValid(side.model, decoded.model, 'decode returned what is not of the model')
	const place = firstDifference(withoutUndefined(decoded.model), decoded.model)
	if (place) throw new Error(`decode returned ${fieldPath(place)} as undefined; leave the member out`)
	if (!v.is(v.array(v.string()), decoded.unread)) throw new Error('decode returned an unread that is no list of paths')
	roundTrip(side, decoded.model)
}

function withoutUndefined(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(withoutUndefined)
	if (typeof value !== 'object' || value === null) return value
	const present = Object.entries(value).filter(([, member]) => member !== undefined)
	return Object.fromEntries(present.map(([key, member]) => [key, withoutUndefined(member)]))
}

/**
 * Law 11. Of what a reply offers, no two that do different things share what comes back of them or their number, and each
 * is reached by one of the two. What is shown to be pressed is offered; what was given is offered, or a change names it
 * as lost. Behind another reply, nothing is reached by a label or a number.
 */
export function choices({ fit }: Pick<Side<WireResponse, CanonicalReply>, 'fit'>, x: CanonicalReply): void {
	const { value, changes, offers } = fit(x)
	const open = [{ turnId: 'offered', offers: JSON.stringify(offers) }]
	const said = (text: string): CanonicalEvent => ({ kind: 'message', text, attributes: {} })
	const reached = (text: string, replies: OpenChoices) => resolveChoice(said(text), replies)?.event.choice?.value
	const owner = new Map<string, string>()
	for (const { label, value, number, choice } of offers) {
		const back = value ?? label
		for (const word of [`back ${back}`, ...(value === undefined ? [`label ${labelKey(label) ?? label}`] : [])]) {
			if ((owner.get(word) ?? choice.value) !== choice.value) throw new Error(`two choices share the ${inShort(word)}`)
			owner.set(word, choice.value)
		}
		if (number !== undefined) {
			if (owner.has(`number ${number}`)) throw new Error(`two choices have the number ${number}`)
			owner.set(`number ${number}`, choice.value)
		}
		const words = [back, ...(number === undefined ? [] : [`${number}`])]
		if (!words.some((word) => reached(word, open) === choice.value)) {
			throw new Error(`${inShort(choice)} is offered, and not reached by ${inShort(words)}`)
		}
		for (const word of [label, ...(number === undefined ? [] : [`${number}`])]) {
			if (word !== value && reached(word, [{ turnId: 'next', offers: '[]' }, ...open]) === choice.value) {
				throw new Error(`${inShort(word)} picks a choice of a reply before the newest`)
			}
		}
	}
	for (const back of returnedBy(value)) {
		if (!offers.some(({ label, value }) => (value ?? label) === back)) {
			throw new Error(`${inShort(back)} comes back from a press, and is not offered`)
		}
	}
	const offered = new Set(offers.map(({ choice }) => choice.value))
	for (const { path, name, value } of leavesOf(x.messages.map(({ instead: _, ...message }) => message))) {
		const lost = changes.some((change) => change.did === 'dropped' && covers(change.path, `messages${path}`))
		if (name === 'value' && !offered.has(String(value).toWellFormed()) && !lost) {
			throw new Error(`${inShort(value)} at messages${path} is not offered, and no change names it`)
		}
	}
}

/** What comes back from presses of what a reply shows. */
function returnedBy({ messages }: CanonicalReply): string[] {
	return leavesOf(messages).flatMap(({ name, value }) => (name === 'value' ? [String(value)] : []))
}

/** The title that each of these features shows. */
const titles = {
	'reply.choices': 'reply.choice.title',
	'reply.cards': 'reply.card.title',
	'reply.text.buttons': 'reply.button.title',
	'reply.card.buttons': 'reply.button.title',
} as const

/** `carries` names the titles of what it shows. Fit keeps titles either way, so no random value shows that one is missing. */
export function carriesTitles({ carries }: Ear): void {
	for (const [feature, title] of Object.entries(titles)) {
		if (carries[feature] && !carries[title]) throw new Error(`carries has ${feature}, but not ${title}: add it`)
	}
}

/** Law 8. A signed call proves its origin, and nothing but the whole right secret does. */
export async function origin(adapter: Adapter, call: WireRequest, secret: string, crypto: Crypto): Promise<void> {
	const { auth } = adapter
	if (!auth) return
	const other = `other-${secret}`
	const last = secret.at(-1) === 'x' ? 'y' : 'x'
	const near = [`${secret.slice(0, -1)}${last}`, `${last}${secret.slice(1)}`, `${secret}x`, secret.slice(0, -1), other]
	const signed = await auth.sign(call, secret, crypto)
	const holds = (by: WireRequest, secrets: readonly string[]) => auth.verify(by, secrets, crypto)
	if (!(await holds(signed, [secret]))) throw new Error('auth.verify refuses a call that auth.sign signed')
	if (!(await holds(signed, [other, secret]))) throw new Error('auth.verify tries only one of the secrets')
	if (await holds(signed, [])) throw new Error('auth.verify accepts a call when there are no secrets')
	if (await holds(call, [secret])) throw new Error('auth.verify accepts an unsigned call')
	const isInHead = await holds({ ...signed, body: '' }, [secret])
	if (isInHead !== (auth.proof === 'head')) {
		throw new Error(`auth.verify ${isInHead ? 'does not read' : 'reads'} the body, and auth.proof is "${auth.proof}"`)
	}
	for (const wrong of near.filter((each) => each !== secret && each !== '')) {
		if (await holds(signed, [wrong])) throw new Error(`auth.verify accepts the call for ${inShort(wrong)}`)
		const forged = await auth.sign(call, wrong, crypto)
		if (await holds(forged, [secret])) throw new Error(`auth.verify accepts a call signed with ${inShort(wrong)}`)
	}
}

/** Law 9. The platform is content with the answer to its set-up call, and that call is no event. */
export async function setUp(adapter: Adapter, nonce: string, secret: string, crypto: Crypto): Promise<void> {
	const { auth, challenge, handshake } = adapter
	if (!challenge !== !handshake) throw new Error('challenge and handshake go together: add the other one')
	if (!challenge || !handshake) return
	const { call, accepts } = handshake(nonce)
	const signed = auth ? await auth.sign(call, secret, crypto) : call
	if (auth && !(await auth.verify(signed, [secret], crypto))) throw new Error('auth.verify refuses the set-up call')
	const answer = challenge(signed)
	if (!answer) throw new Error('challenge takes the call of handshake for an event')
	if (!accepts(answer)) throw new Error('handshake.accepts refuses the answer of challenge')
	if (accepts({ ...answer, body: `${answer.body}x` })) {
		throw new Error('handshake.accepts takes any body: compare the body, even if it is empty')
	}
	if (accepts({ ...answer, status: 404 })) throw new Error('handshake.accepts takes any status: compare the status')
}
