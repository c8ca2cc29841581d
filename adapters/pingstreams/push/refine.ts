/** What a push can say only in part: hand-overs, participants, native parts, and what is over the size of a call. */
import * as v from 'valibot'
import {
	type Attributes,
	atLeastOneMember,
	type CanonicalReply,
	compact,
	compactOrNone,
	fieldPath,
	Json,
	type Message,
	matches,
	nonEmptyList,
	type Report,
} from '../../../src/format/index.ts'
import { name } from '../dialect.ts'
import { type Control, unassigned } from '../reply/actions.ts'
import { refineBlockInput, refineFiles, withButtonsLast } from '../reply/refine.ts'
import { Hidden, Markup } from '../reply/script.ts'

/** Precedes the id of a bot where it is a participant. */
export const botPrefix = 'bot_'

/** The native parts of a reply that is pushed. Actions are those of an answer: refine takes them out. */
export type Native = {
	readonly text?: string
	readonly hidden?: readonly Hidden[]
	readonly actions?: readonly Json[]
}
export const Native: v.GenericSchema<Native> = v.pipe(
	v.strictObject({
		text: v.optional(Markup),
		hidden: v.optional(v.pipe(v.array(Hidden), v.nonEmpty())),
		actions: v.optional(v.array(Json)),
	}),
	atLeastOneMember(),
)

/** What refining depends on. */
interface Context {
	/** The words of a message that has none. */
	readonly caption: string
	/** The bot that was called. */
	readonly bot: string | undefined
	encode(message: Message): object
}

export function refinePushed({
	caption,
	bot,
	encode,
}: Context): (reply: CanonicalReply, report: Report) => CanonicalReply {
	return (reply, report) => {
		const whole = withButtonsLast(refineFiles(reply.messages, report), caption, report)
		const messages = whole.filter((message, i) => {
			const isSent = !isTooLarge(encode(message))
			if (!isSent) report({ did: 'dropped', feature: 'reply.messages', path: `messages[${i}]`, detail: tooLarge })
			return isSent
		})
		const control = refineBlockInput({ ...reply, messages }, report)
		return compact<CanonicalReply>({
			...reply,
			messages,
			attributes: { ...reply.attributes, session: refineAttributes(reply.attributes.session, report) },
			control:
				control &&
				compactOrNone<Control>({
					...control,
					handover: refineHandover(control.handover, report),
					participants: refineParticipants(control.participants, bot, report),
				}),
			overrides: refineNative(reply.overrides, report),
		})
	}
}

/** UTF-8 bytes of a call's body: the server refuses more. */
const maxBytes = 500_000
const tooLarge = 'over the size limit of a call'

function isTooLarge(body: object): boolean {
	return bytesOf(body) > maxBytes
}

function bytesOf(body: object): number {
	const json = JSON.stringify(body)
	return json.length * 3 <= maxBytes ? json.length : new TextEncoder().encode(json).length
}

function refineAttributes(attributes: Attributes, report: Report): Attributes {
	if (!isTooLarge(attributes)) return attributes
	let room = maxBytes
	const kept = Object.entries(attributes).filter(([key, value]) => {
		const bytes = bytesOf({ [key]: value })
		const isKept = bytes <= room
		const path = fieldPath(['attributes', 'session', key])
		if (isKept) room -= bytes
		else report({ did: 'dropped', feature: 'reply.attributes.session', path, detail: tooLarge })
		return isKept
	})
	return Object.fromEntries(kept)
}

/** The form of the platform's ids. Any other word for a bot is its slug. */
const idForm = /^(?:[\da-f]{24}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/i

/** A department goes by its id or else its name, so does a bot, and a human has none but that of a queue. */
function refineHandover(handover: Control['handover'], report: Report): Control['handover'] {
	if (!handover) return undefined
	const { to, id, name } = handover
	const path = 'control.handover'
	if (to !== 'human' && id === undefined && name === undefined) {
		report({ did: 'dropped', feature: 'reply.control.handover', path, detail: 'it has neither name nor id' })
		return undefined
	}
	const usesId = id !== undefined && (to !== 'human' || id === unassigned)
	const usesName = name !== undefined && to !== 'human' && id === undefined
	if (id !== undefined && !usesId) report({ did: 'dropped', feature: 'reply.control.handover.id', path: `${path}.id` })
	if (name !== undefined && !usesName)
		report({ did: 'dropped', feature: 'reply.control.handover.name', path: `${path}.name` })
	const isBareId = usesId && to === 'bot' && idForm.test(id)
	if (isBareId)
		report({ did: 'converted', feature: 'reply.control.handover.id', path: `${path}.id`, detail: 'to a participant' })
	return compact({ to, id: isBareId ? botPrefix + id : usesId ? id : undefined, name: usesName ? name : undefined })
}

/** Each once, and the bot that was called under the id that it has as a participant. */
function refineParticipants(
	participants: Control['participants'],
	bot: string | undefined,
	report: Report,
): Control['participants'] {
	const refine = (which: 'add' | 'remove') => {
		const ids: string[] = []
		for (const [i, given] of (participants?.[which] ?? []).entries()) {
			const id = given === bot ? botPrefix + bot : given
			const note = (did: 'dropped' | 'merged' | 'converted', detail: string): void => {
				report({ did, feature: 'reply.control.participants', path: `control.participants.${which}[${i}]`, detail })
			}
			if (/^\.{1,2}$/.test(id)) note('dropped', 'no URL can name it')
			else if (ids.includes(id)) note('merged', 'named twice')
			else {
				if (id !== given) note('converted', 'to a participant')
				ids.push(id)
			}
		}
		return nonEmptyList(ids)
	}
	return compactOrNone({ add: refine('add'), remove: refine('remove') })
}

function refineNative(overrides: CanonicalReply['overrides'], report: Report): CanonicalReply['overrides'] {
	const native = overrides?.[name]
	if (!matches(Native, native) || !native.actions) return overrides
	const { actions, ...others } = native
	const path = `overrides.${name}.actions`
	report({ did: 'dropped', feature: 'reply.overrides', path, detail: 'only an answer has actions' })
	return Object.keys(others).length > 0 ? { [name]: others } : undefined
}
