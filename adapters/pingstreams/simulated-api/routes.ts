/** The routes below a conversation: what each does, and what it answers when there is no such conversation. */
import * as v from 'valibot'
import {
	type ApiAnswer,
	Attributes,
	emptyReply,
	type Json,
	jsonResponse,
	matches,
	NonEmpty,
	type WireResponse,
} from '../../../src/format/index.ts'
import {
	accepted,
	brokenDepartment,
	brokenObject,
	brokenParticipants,
	invalidField,
	missingObject,
	missingRequest,
	refused,
} from './answers.ts'
import { type Call, changed, closed, departments, requestOf, setParticipants, toPeople } from './conversation.ts'
import { missingForMessage, say, sayOne } from './messages.ts'

interface Route {
	readonly method: string
	/** The segment behind the conversation; empty: none. */
	readonly name: string
	/** The answer when there is no such conversation. */
	missing(body: Json): WireResponse
	run(call: Call): ApiAnswer
}

const Member = v.object({ member: NonEmpty })
const Members = v.array(v.string())
const Department = v.object({ departmentid: v.string() })
const Replacement = v.object({ id: v.optional(v.string()), name: v.optional(v.string()), slug: v.optional(v.string()) })
const Tags = v.array(v.object({ tag: NonEmpty }))

export const routes: readonly Route[] = [
	{ method: 'GET', name: '', missing: missingObject, run: ({ conversation }) => accepted(requestOf(conversation)) },
	{ method: 'PATCH', name: '', missing: missingRequest, run: patch },
	{ method: 'PATCH', name: 'attributes', missing: missingObject, run: patchAttributes },
	{
		method: 'POST',
		name: 'messages',
		missing: missingForMessage,
		run: (call) => (call.last === 'multi' ? say : sayOne)(call),
	},
	{
		method: 'PUT',
		name: 'close',
		missing: () => jsonResponse({ success: false, error: 'Error closing the request' }, 500),
		run: ({ conversation }) => closed(conversation),
	},
	{
		method: 'PUT',
		name: 'agent',
		missing: missingObject,
		run: ({ conversation }) => toPeople(conversation, { to: 'human' }),
	},
	{ method: 'PUT', name: 'departments', missing: brokenDepartment, run: toDepartment },
	{
		method: 'PUT',
		name: 'assign',
		missing: missingRequest,
		run: (call) => (call.conversation.status === 100 ? toDepartment(call) : accepted(requestOf(call.conversation))),
	},
	{
		method: 'POST',
		name: 'participants',
		missing: brokenParticipants,
		run({ conversation, body }) {
			if (!matches(Member, body)) return invalidField('member')
			return setParticipants(conversation, [...conversation.participants, body.member])
		},
	},
	{
		method: 'PUT',
		name: 'participants',
		missing: brokenParticipants,
		run({ conversation, body }) {
			return matches(Members, body) ? setParticipants(conversation, body) : { response: brokenParticipants() }
		},
	},
	{
		method: 'DELETE',
		name: 'participants',
		missing: brokenParticipants,
		run({ conversation, last }) {
			const { id, participants } = conversation
			if (!participants.includes(last)) {
				return refused(400, {
					success: false,
					error: `Unable to remove the participant ${last} from the request ${id}`,
				})
			}
			return setParticipants(
				conversation,
				participants.filter((each) => each !== last),
			)
		},
	},
	{ method: 'PUT', name: 'replace', missing: missingRequest, run: replaceBot },
]

function toDepartment({ conversation, body }: Call): ApiAnswer {
	const found = matches(Department, body) ? departments.find(({ _id }) => _id === body.departmentid) : undefined
	if (!found) return { response: brokenDepartment() }
	conversation.department = found._id
	return toPeople(conversation, { to: 'department', id: found._id, name: found.name })
}

/** The server puts the prefix of a participant before the id itself, so that an id which has it is of no bot. */
function replaceBot({ conversation, body }: Call): ApiAnswer {
	const { id, name, slug } = matches(Replacement, body) ? body : {}
	const [what, wanted] = id ? ['id', id] : name ? ['name', name] : ['slug', slug]
	if (!wanted) return refused(400, { success: false, error: "Missing field 'id' or 'name' in body" })
	const found = [...conversation.project.bots].find(([key, bot]) => (id ? key : name ? bot.name : bot.slug) === wanted)
	if (!found) return refused(404, { success: false, error: `Chatbot with ${what} '${wanted}' not found` })
	const [botId, bot] = found
	conversation.participants = [...conversation.participants.filter((each) => !each.startsWith('bot_')), `bot_${botId}`]
	return changed(conversation, {
		handover: { to: 'bot', id: botId, ...(bot.name !== undefined && { name: bot.name }) },
	})
}

function patchAttributes({ conversation, body }: Call): ApiAnswer {
	if (!matches(Attributes, body)) return { response: brokenObject() }
	conversation.attributes = { ...conversation.attributes, ...body }
	return accepted(requestOf(conversation), { ...emptyReply, attributes: { session: body, user: {} } })
}

/** Fields that can be changed from outside; of others, and of empty values, the server takes no notice. */
const patched = ['tags', 'rating', 'rating_message', 'sourcePage', 'language', 'first_text', 'subject', 'priority']

function patch({ conversation, body }: Call): ApiAnswer {
	if (!matches(Attributes, body)) return { response: brokenObject() }
	const fields = Object.fromEntries(Object.entries(body).filter(([name, value]) => patched.includes(name) && value))
	const { tags } = fields
	if (tags !== undefined && !matches(Tags, tags)) return { response: brokenObject() }
	conversation.fields = { ...conversation.fields, ...fields }
	const names = tags?.map(({ tag }) => tag) ?? []
	return names.length > 0 ? changed(conversation, { tags: names }) : accepted(requestOf(conversation))
}
