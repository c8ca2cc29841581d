/** A reply in a format's normal form. */
import { compact, type Leg, matches, type PushCall, type WireResponse } from '../format/index.ts'
import type { Button, CanonicalReply, Change, Choice, Json, Message } from '../model/index.ts'
import { fitWriteBack, suffix } from './attributes.ts'
import { isWhole } from './cards.ts'
import { nameButtons, nameChoices } from './choice-names.ts'
import { returnedValues } from './choices.ts'
import { type Fitting, newFitting, note } from './context.ts'
import { fitControl } from './control.ts'
import { arrange } from './message-order.ts'
import { fitMessages } from './messages.ts'
import { refine } from './refine.ts'
import { fitSize } from './size.ts'
import type { FitContext, Fitted, Offer } from './types.ts'
import { wellFormed } from './well-formed.ts'

/** The leg of a reply, whatever brings it to the platform; fit decodes nothing. */
type AnyReplyLeg = Omit<Leg<WireResponse | readonly PushCall[], CanonicalReply>, 'decode'>

/** The reply as the format can hold it, what was done to it, and the choices it offers. */
export function fitReply(reply: CanonicalReply, leg: AnyReplyLeg, context: FitContext): Fitted<CanonicalReply> {
	const changes: Change[] = []
	const clean = wellFormed({ changes }, 'reply', reply)
	const fitting = newFitting(leg, context, changes, {
		nameChoice: nameChoices(leg.carries, clean.messages),
		nameButton: nameButtons(leg.carries, clean.messages, (card) => isWhole(leg, card)),
		values: returnedValues(leg, clean.messages),
		isForeign: isForeign(leg, context),
	})
	const control = clean.control && fitControl(fitting, clean.control)
	const overrides = clean.overrides && fitOverrides(fitting, leg, clean.overrides)
	const messages = fitMessages(fitting, clean.messages, 'messages')
	const plain: CanonicalReply = {
		messages: arrange(fitting, messages),
		attributes: fitWriteBack(fitting, clean.attributes),
	}
	const value = control || overrides ? compact<CanonicalReply>({ ...plain, control, overrides }) : plain
	const fitted = fitSize(fitting, leg, refine(fitting, leg, value), clean.attributes)
	// Of the same list, nothing was cut.
	const offers = fitted.messages === messages ? fitting.offers : standing(fitting.offers, fitted.messages)
	return { value: fitted, changes: fitting.changes, offers }
}

/** Whether an upstream wrote the reply in another format than the platform's. */
function isForeign({ native }: AnyReplyLeg, { decodedFrom }: FitContext): boolean {
	return decodedFrom !== undefined && decodedFrom !== native?.name
}

/** Native parts: those of this format, if they satisfy its schema. Parts for other formats are lost only if an upstream of that format wrote them. */
function fitOverrides(
	fitting: Fitting,
	leg: AnyReplyLeg,
	overrides: NonNullable<CanonicalReply['overrides']>,
): CanonicalReply['overrides'] {
	if (fitting.carries['reply.overrides']) return overrides
	const { native } = leg
	const { decodedFrom } = fitting
	if (decodedFrom !== undefined && fitting.isForeign && Object.hasOwn(overrides, decodedFrom)) {
		noteNatives(fitting, overrides[decodedFrom], `overrides${suffix(decodedFrom)}`)
	}
	const own = native && Object.hasOwn(overrides, native.name) ? overrides[native.name] : undefined
	if (!native || own === undefined) return undefined
	if (matches(native.schema, own)) return { [native.name]: own }
	note(fitting, 'dropped', 'reply.overrides', `overrides.${native.name}`, 'does not match the schema of the format')
	return undefined
}

/** Names each native part that the format cannot express: a member, or each item of a list. */
function noteNatives(fitting: Fitting, natives: Json | undefined, path: string): void {
	const parts = typeof natives === 'object' && natives !== null ? Object.entries(natives) : []
	for (const [key, part] of parts) {
		const here = Array.isArray(natives) ? `${path}[${key}]` : path + suffix(key)
		const paths = Array.isArray(part) && part.length > 0 ? part.map((_, i) => `${here}[${i}]`) : [here]
		for (const each of paths) note(fitting, 'dropped', 'reply.overrides', each, 'only its own platform has it')
	}
	if (parts.length === 0) note(fitting, 'dropped', 'reply.overrides', path, 'only its own platform has it')
}

/** The offers whose labels are still there after all cuts: nobody can take what nobody saw. */
function standing(offers: readonly Offer[], messages: readonly Message[]): Offer[] {
	const seen = new Set<string>()
	const see = (labelled: readonly (Button | Choice)[] | undefined): void => {
		if (labelled) for (const { title } of labelled) seen.add(title)
	}
	for (const message of messages) {
		if (message.type === 'choices') see(message.choices)
		else if (message.type === 'text') see(message.buttons)
		else if (message.type === 'cards') for (const { buttons } of message.cards) see(buttons)
	}
	// A numbered choice is a line of text, wherever that was cut.
	return offers.filter(({ label, number }) => number !== undefined || seen.has(label))
}
