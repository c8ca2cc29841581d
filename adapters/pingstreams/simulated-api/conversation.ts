/** A conversation on the platform's server, and what changes it. */
import {
	type ApiAnswer,
	type Attributes,
	type CanonicalReply,
	emptyReply,
	type Json,
} from '../../../src/format/index.ts'
import { accepted } from './answers.ts'

/** The departments of every project. */
export const departments = [
	{ _id: '65203e12f8c0cf002cf41101', name: 'Default Department', default: true },
	{ _id: '65203e12f8c0cf002cf41102', name: 'Sales', default: false },
	{ _id: '65203e12f8c0cf002cf41103', name: 'Support', default: false },
] as const

/** The bots of every project, beside the one that is called. */
export const bots = [
	{ _id: '65b0f1a2f8c0cf002cf42c01', name: 'Order bot', slug: 'order-bot' },
	{ _id: '65b0f1a2f8c0cf002cf42c02', name: 'Survey bot', slug: 'survey-bot' },
] as const

/** The one member of the project who takes over conversations. */
const agent = '65c0f1a2f8c0cf002cf42c01'

export type Project = {
	readonly id: string
	readonly bots: Map<string, { readonly name?: string; readonly slug?: string }>
}
type Status = 100 | 200 | 1000

export interface Conversation {
	readonly id: string
	readonly project: Project
	status: Status
	department: string
	participants: readonly string[]
	attributes: Attributes
	fields: { readonly [name: string]: Json }
}

/** A call to a route below a conversation. */
export interface Call {
	readonly conversation: Conversation
	readonly body: Json
	/** The last segment of the path, where there is one behind the name of the route. */
	readonly last: string
	newId(): string
}

export function opened(id: string, project: Project, bot: string | undefined): Conversation {
	const participants = bot === undefined ? [] : [`bot_${bot}`]
	return { id, project, status: 200, department: departments[0]._id, participants, attributes: {}, fields: {} }
}

export function requestOf({ id, project, status, department, participants, attributes, fields }: Conversation): object {
	return {
		...fields,
		request_id: id,
		id_project: project.id,
		status,
		department: departments.find(({ _id }) => _id === department),
		participants,
		attributes,
	}
}

type Control = NonNullable<CanonicalReply['control']>

export function changed(conversation: Conversation, control: Control): ApiAnswer {
	return accepted(requestOf(conversation), { ...emptyReply, control })
}

/** Bots leave, and a person takes over. */
export function toPeople(conversation: Conversation, handover: NonNullable<Control['handover']>): ApiAnswer {
	conversation.participants = [...conversation.participants.filter((each) => !each.startsWith('bot_')), agent]
	conversation.status = 200
	return changed(conversation, { handover })
}

/** A conversation without participants is back in the queue of unassigned ones. */
export function setParticipants(conversation: Conversation, participants: readonly string[]): ApiAnswer {
	const before = conversation.participants
	const after = [...new Set(participants)]
	conversation.participants = after
	conversation.status = after.length === 0 ? 100 : 200
	if (after.length === 0) return changed(conversation, { handover: { to: 'human', id: 'unassigned' } })
	const add = after.filter((each) => !before.includes(each))
	const remove = before.filter((each) => !after.includes(each))
	const members = { ...(add.length > 0 && { add }), ...(remove.length > 0 && { remove }) }
	return changed(conversation, { participants: members })
}

export function closed(conversation: Conversation): ApiAnswer {
	conversation.status = 1000
	return changed(conversation, { close: true })
}
