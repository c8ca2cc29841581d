/** The event that an action of a user becomes on a platform. */
import { type Adapter, compact, compactOrNone, type Simulated } from '../format/index.ts'
import type { CanonicalEvent } from '../model/index.ts'
import type { Runtime } from '../runtime.ts'

/** What the user does: sends a text, selects a choice, opens the chat, or anything else as an event. */
export type UserAction =
	| { readonly text: string }
	| {
			readonly choice: NonNullable<CanonicalEvent['choice']>
			/** What the pressed button holds, as `held` of the turn that showed it has it. Absent: the value. */
			readonly held?: string | undefined
	  }
	| { readonly start: true }
	| { readonly event: CanonicalEvent }

/** A user's action, who does it, and in which conversation. */
export type ActingUser = UserAction &
	Pick<Runtime, 'newId'> & {
		/** The conversation's id. Absent: a new one, if the platform has conversation ids. */
		readonly conversation?: string
		/** The user's id. Absent: a new one, if the platform has user ids. */
		readonly user?: string
		/** The text that the bot's author set as the platform's default reply. Absent: none. */
		readonly defaultReply?: string
	}

/** What the bot's author set for a failed call. It is in the calls of some platforms only. */
export function defaultReplyOf({ defaultReply }: Pick<ActingUser, 'defaultReply'>): CanonicalEvent['defaultReply'] {
	return defaultReply === undefined ? undefined : [{ type: 'text', text: defaultReply }]
}

/** The event, with what calls of the platform name besides: ids, a bot, the step that calls. */
export function eventOf({ event: { carries }, simulated }: Adapter, acting: ActingUser): CanonicalEvent {
	const { newId } = acting
	if ('event' in acting) {
		const { conversation = acting.event.conversation } = acting
		return { ...acting.event, ...(conversation !== undefined && { conversation }) }
	}
	const bot = botOf(carries, newId)
	const conversation = acting.conversation ?? (carries['event.conversation'] && newConversation(bot, simulated, newId))
	const id = acting.user ?? (carries['event.user.id'] && hexId(newId()))
	const common = compact({
		attributes: {},
		conversation,
		user: id === undefined ? undefined : { id, attributes: {} },
		bot,
		trigger: triggerOf(carries, newId),
		defaultReply: defaultReplyOf(acting),
	})
	if ('text' in acting) return { kind: 'message', text: acting.text, ...common }
	if ('choice' in acting) return { kind: 'choice', choice: acting.choice, ...common }
	return { kind: 'start', ...common }
}

type Carried = Adapter['event']['carries']

/** A bot, as far as calls of the platform name one. */
function botOf(carries: Carried, newId: () => string): CanonicalEvent['bot'] {
	return compactOrNone({
		id: carries['event.bot.id'] && hexId(newId()),
		name: carries['event.bot.name'] && 'Simulated bot',
		project: carries['event.bot.project'] && hexId(newId()),
	})
}

function newConversation(bot: CanonicalEvent['bot'], simulated: Simulated | undefined, newId: () => string): string {
	return (
		simulated?.newConversation?.(bot?.project ?? hexId(newId()), newId().replace(/[^\da-f]/g, '')) ?? hexId(newId())
	)
}

/** The step of the bot that calls, as far as calls of the platform name one. */
function triggerOf(carries: Carried, newId: () => string): CanonicalEvent['trigger'] {
	const { values: [kind] = [] } = carries['event.trigger'] ?? {}
	if (kind === undefined) return undefined
	const id = carries['event.trigger.id'] && hexId(newId())
	const name = carries['event.trigger.name']?.default ?? (carries['event.trigger.name'] && 'simulated_step')
	return compact({ kind, id, name })
}

/** An id of 24 hexadecimal digits: a common form that every platform accepts, as far as we know. */
function hexId(id: string): string {
	return id
		.replace(/[^\da-f]/g, '')
		.slice(-24)
		.padStart(24, '0')
}
