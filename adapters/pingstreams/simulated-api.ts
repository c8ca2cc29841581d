/**
 * The platform's API as its server answers: messages of a conversation, and its orchestration. Tiledesk/tiledesk-server:
 * routes/message.js, request.js, department.js, middleware/passport.js, has-role.js, pubmodules/messageTransformer and
 * messageActions. Any bot may be called in it; its departments and the other bots are those of `departments` and `bots`.
 */
import * as v from 'valibot'
import {
	type ApiAnswer,
	type ApiCall,
	Attributes,
	bodyAsJson,
	type CanonicalReply,
	emptyReply,
	type Json,
	jsonResponse,
	NonEmpty,
	readJson,
	readJsonBody,
	type SimulatedApi,
	type WireRequest,
	type WireResponse,
} from '../../src/format/index.ts'
import { decodeButtonAction } from './button-action.ts'
import { eventLeg } from './event/index.ts'
import { Options } from './options.ts'
import { decodeMessage, WireMessage } from './reply/message.ts'
import { readMarkup } from './reply/read-markup.ts'

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

/** The project's labels: a text that names one of them is replaced by it. */
const labels = new Map([['LABEL_WELCOME', 'Welcome to the shop']])

/** What the server accepts of a body: express writes it as 500KB. */
const maxBytes = 500 * 1024

type Project = { readonly id: string; readonly bots: Map<string, { readonly name?: string; readonly slug?: string }> }
type Status = 100 | 200 | 1000

interface Conversation {
	readonly id: string
	readonly project: Project
	status: Status
	department: string
	participants: readonly string[]
	attributes: Attributes
	fields: { readonly [name: string]: Json }
}

/** Starts without projects: each call that is admitted makes its own known. */
export function simulatedApi(): SimulatedApi {
	const event = eventLeg(v.parse(Options, {}))
	const tokens = new Set<string>()
	const projects = new Map<string, Project>()
	const conversations = new Map<string, Conversation>()
	let count = 0
	/** The form that all of the platform's ids have. */
	const newId = () => (++count).toString(16).padStart(24, '0')

	return {
		admit(call) {
			const { conversation: id, bot } = event.decode(call).model
			if (id === undefined || bot?.project === undefined) return call
			const project = projects.get(bot.project) ?? {
				id: bot.project,
				bots: new Map(bots.map((each) => [each._id, each])),
			}
			projects.set(project.id, project)
			if (bot.id !== undefined) project.bots.set(bot.id, bot.name === undefined ? {} : { name: bot.name })
			const known = conversations.get(keyOf(project.id, id))
			if (!known) conversations.set(keyOf(project.id, id), opened(id, project, bot.id))
			return withToken(call)
		},

		answer(call) {
			if (new TextEncoder().encode(call.body).length > maxBytes) {
				return refused(413, { err: 'Request entity too large', limit: maxBytes })
			}
			if (!isAuthorized(call)) return { response: unauthorized }
			const [projectId = '', room, ...path] = segmentsOf(call.path)
			const project = projects.get(projectId)
			if (!project) return refused(400, { error: wrongProject(projectId) })
			if (room === 'departments') return call.method === 'GET' ? accepted(departmentsOf(project)) : notFound
			const [id = '', ...what] = path
			const route = routes.find(({ method, name }) => method === call.method && name === (what[0] ?? ''))
			if (room !== 'requests' || !route) return notFound
			const body = bodyOf(call)
			if (body === undefined) return refused(500, { err: 'error' })
			const conversation = conversations.get(keyOf(projectId, id))
			if (!conversation) return { response: route.missing(body) }
			return { ...route.run({ conversation, body, last: what[1] ?? '', newId }), conversation: id }
		},
	}

	/** The token that the call has already, or a new one of the form of the platform's. */
	function withToken(call: WireRequest): WireRequest {
		const body = readJsonBody(call)
		const given = v.is(WithToken, body) ? body.token : undefined
		const token = given ?? `${head}.${btoa(JSON.stringify({ sub: 'bot', jti: ++count })).replaceAll('=', '')}.simulated`
		tokens.add(token)
		return given === undefined ? { ...call, body: JSON.stringify(Object.assign({}, body, { token })) } : call
	}

	/** The scheme in any case, once, and a token that was given out. */
	function isAuthorized({ headers }: ApiCall): boolean {
		const values = headers.flatMap(([name, value]) => (name === 'authorization' ? [value] : []))
		const [, token] = /^jwt ([^ ]+)$/i.exec(values[0] ?? '') ?? []
		return values.length === 1 && token !== undefined && tokens.has(token)
	}
}

const WithToken = v.object({ token: NonEmpty })
/** `{"alg":"HS256","typ":"JWT"}` */
const head = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9'

function keyOf(project: string, conversation: string): string {
	return JSON.stringify([project, conversation])
}

function opened(id: string, project: Project, bot: string | undefined): Conversation {
	const participants = bot === undefined ? [] : [`bot_${bot}`]
	return { id, project, status: 200, department: departments[0]._id, participants, attributes: {}, fields: {} }
}

function segmentsOf(path: string): string[] {
	const [before = ''] = path.split('?')
	try {
		return before.split('/').slice(1).map(decodeURIComponent)
	} catch {
		return []
	}
}

/** The body as JSON, an empty one as `{}`; undefined if it is neither. */
function bodyOf({ body }: ApiCall): Json | undefined {
	try {
		return body === '' ? {} : readJson(body)
	} catch {
		return undefined
	}
}

function departmentsOf({ id }: Project): object[] {
	return departments.map((each) => ({ ...each, id_project: id, routing: 'assigned', hasBot: false }))
}

function wrongProject(id: string): string {
	return /^[\da-f]{24}$/i.test(id) ? `Project not found with id: ${id}` : `Invalid project id: ${id}`
}

interface Call {
	readonly conversation: Conversation
	readonly body: Json
	/** The last segment of the path, where there is one behind the name of the route. */
	readonly last: string
	newId(): string
}

interface Route {
	readonly method: string
	/** The segment behind the conversation; empty: none. */
	readonly name: string
	/** The answer when there is no such conversation. */
	missing(body: Json): WireResponse
	run(call: Call): ApiAnswer
}

const missingObject = () => jsonResponse({ success: false, msg: 'Object not found.' }, 404)
const missingRequest = () => jsonResponse({ success: false, msg: 'Request not found' }, 404)
const brokenObject = () => jsonResponse({ success: false, msg: 'Error updating object.' }, 500)
const brokenDepartment = () => jsonResponse({ success: false, msg: 'Error changing the department.' }, 500)
const brokenParticipants = () => jsonResponse({ success: false, error: 'Error changing the participants' }, 500)

const Member = v.object({ member: NonEmpty })
const Members = v.array(v.string())
const Department = v.object({ departmentid: v.string() })
const WithSender = v.object({ sender: NonEmpty })
const Replacement = v.object({ id: v.optional(v.string()), name: v.optional(v.string()), slug: v.optional(v.string()) })
const Tags = v.array(v.object({ tag: NonEmpty }))

const routes: readonly Route[] = [
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
			if (!v.is(Member, body)) return invalidField('member')
			return setParticipants(conversation, [...conversation.participants, body.member])
		},
	},
	{
		method: 'PUT',
		name: 'participants',
		missing: brokenParticipants,
		run({ conversation, body }) {
			return v.is(Members, body) ? setParticipants(conversation, body) : { response: brokenParticipants() }
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

function accepted(body: object, seen?: CanonicalReply): ApiAnswer {
	return { response: jsonResponse(body), ...(seen && { seen }) }
}

function refused(status: number, body: object): ApiAnswer {
	return { response: jsonResponse(body, status) }
}

const unauthorized: WireResponse = { status: 401, headers: [['content-type', 'text/plain']], body: 'Unauthorized' }
const notFound: ApiAnswer = { response: { status: 404, headers: [['content-type', 'text/plain']], body: 'Not Found' } }

function invalidField(param: string): ApiAnswer {
	return refused(422, { errors: [{ msg: 'Invalid value', param, location: 'body' }] })
}

function requestOf({ id, project, status, department, participants, attributes, fields }: Conversation): object {
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

function changed(conversation: Conversation, control: Control): ApiAnswer {
	return accepted(requestOf(conversation), { ...emptyReply, control })
}

/** Bots leave, and a person takes over. */
function toPeople(conversation: Conversation, handover: NonNullable<Control['handover']>): ApiAnswer {
	conversation.participants = [...conversation.participants.filter((each) => !each.startsWith('bot_')), agent]
	conversation.status = 200
	return changed(conversation, { handover })
}

function toDepartment({ conversation, body }: Call): ApiAnswer {
	const found = v.is(Department, body) ? departments.find(({ _id }) => _id === body.departmentid) : undefined
	if (!found) return { response: brokenDepartment() }
	conversation.department = found._id
	return toPeople(conversation, { to: 'department', id: found._id, name: found.name })
}

/** A conversation without participants is back in the queue of unassigned ones. */
function setParticipants(conversation: Conversation, participants: readonly string[]): ApiAnswer {
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

/** The server puts the prefix of a participant before the id itself, so that an id which has it is of no bot. */
function replaceBot({ conversation, body }: Call): ApiAnswer {
	const { id, name, slug } = v.is(Replacement, body) ? body : {}
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
	if (!v.is(Attributes, body)) return { response: brokenObject() }
	conversation.attributes = { ...conversation.attributes, ...body }
	return accepted(requestOf(conversation), { ...emptyReply, attributes: { session: body, user: {} } })
}

/** Fields that can be changed from outside; of others, and of empty values, the server takes no notice. */
const patched = ['tags', 'rating', 'rating_message', 'sourcePage', 'language', 'first_text', 'subject', 'priority']

function patch({ conversation, body }: Call): ApiAnswer {
	if (!v.is(Attributes, body)) return { response: brokenObject() }
	const fields = Object.fromEntries(Object.entries(body).filter(([name, value]) => patched.includes(name) && value))
	const { tags } = fields
	if (tags !== undefined && !v.is(Tags, tags)) return { response: brokenObject() }
	conversation.fields = { ...conversation.fields, ...fields }
	const names = tags?.map(({ tag }) => tag) ?? []
	return names.length > 0 ? changed(conversation, { tags: names }) : accepted(requestOf(conversation))
}

/** With a bot's token, a message cannot open a conversation: that takes a member of the project. */
function missingForMessage(body: Json): WireResponse {
	if (Array.isArray(body)) return missingRequest()
	if (isWordless(body)) return wordless
	if (!v.is(WithSender, body)) return jsonResponse({ success: false, msg: 'Error creating request' }, 500)
	const msg = `Unauthorized. Project_user not found with user id  : ${body.sender}`
	return jsonResponse({ success: false, msg }, 403)
}

const wordless = jsonResponse({ errors: ['text field is required'] }, 422)
const Words = v.object({ text: v.pipe(v.string(), v.regex(/\S/)) })
const OfOtherType = v.object({ type: v.pipe(v.string(), v.nonEmpty(), v.notValue('text')) })

/** A message that is a text, and has none. */
function isWordless(message: Json): boolean {
	return !v.is(Words, message) && !v.is(OfOtherType, message)
}

function say({ conversation, body, newId }: Call): ApiAnswer {
	if (!Array.isArray(body)) return refused(422, { errors: ['request body is not array'] })
	const messages: readonly Json[] = body
	const answers = messages.map((each) => sayOne({ conversation, body: each, last: '', newId }))
	const failed = answers.find(({ response }) => response.status !== 200)
	if (failed) return failed
	const seen = { ...emptyReply, messages: answers.flatMap((each) => each.seen?.messages ?? []) }
	const bodies = answers.map(({ response }) => bodyAsJson(response))
	return { ...accepted(bodies, seen), held: new Map(answers.flatMap(({ held = [] }) => [...held])) }
}

function sayOne({ conversation, body, newId }: Call): ApiAnswer {
	if (isWordless(body)) return { response: wordless }
	const parsed = v.safeParse(WireMessage, body)
	if (!parsed.success || !v.is(Attributes, body)) {
		return refused(500, { success: false, msg: 'Error creating message' })
	}
	const { messages, command } = executed(parsed.output, body)
	const stored = { _id: newId(), type: 'text', ...body, recipient: conversation.id, status: 0 }
	const by = conversation.participants.find((each) => each.startsWith('bot_'))
	const visible = messages.flatMap(shown)
	const blocks = visible.length > 0 && parsed.output.attributes?.disableInputMessage
	const seen: CanonicalReply = { ...emptyReply, messages: visible, ...(blocks && { control: { blockInput: true } }) }
	const message = { sender: by, id_project: conversation.project.id, ...stored, request: requestOf(conversation) }
	if (command === undefined) {
		return { ...accepted(message, visible.length > 0 ? seen : undefined), held: new Map(messages.flatMap(actionsOf)) }
	}
	const { seen: effect } = command === 'close' ? closed(conversation) : toPeople(conversation, { to: 'human' })
	return accepted(message, { ...seen, ...(effect?.control && { control: { ...seen.control, ...effect.control } }) })
}

/** What the action buttons of a message mean, and what they send. */
function actionsOf({ attributes }: WireMessage): [value: string, action: string][] {
	const { buttons, gallery } = attributes?.attachment ?? {}
	const all = [...(buttons ?? []), ...(gallery ?? []).flatMap((card) => card.buttons ?? [])]
	return all.flatMap(({ type, action }): [string, string][] => {
		if (type !== 'action' || !action) return []
		const meant = decodeButtonAction(action)
		return 'value' in meant ? [[meant.value, action]] : []
	})
}

function closed(conversation: Conversation): ApiAnswer {
	conversation.status = 1000
	return changed(conversation, { close: true })
}

const Asking = v.object({
	attributes: v.object({ microlanguage: v.optional(v.unknown()), templateProcessor: v.optional(v.unknown()) }),
})

/** What the server makes of a message's text: a label, a filled template, buttons; and the command behind a backslash. */
function executed(
	message: WireMessage,
	body: Json,
): { readonly messages: readonly WireMessage[]; readonly command: 'agent' | 'close' | undefined } {
	const { microlanguage, templateProcessor } = v.is(Asking, body) ? body.attributes : {}
	const given = message.text ?? ''
	const text = labels.get(/\$\{([^${}]+)\}/.exec(given)?.[1] ?? '') ?? given
	const filled = templateProcessor === true ? text.replaceAll(/\{\{[^{}]*\}\}/g, '') : text
	const words = { ...message, text: filled }
	const action = filled.includes('\\') ? filled.slice(filled.indexOf('\\') + 1) : undefined
	return {
		messages: microlanguage === true ? withMarkup(words, filled) : [words],
		command: action === 'agent' || action === 'close' ? action : undefined,
	}
}

function withMarkup(message: WireMessage, text: string): WireMessage[] {
	return readMarkup(text, 'server').messages.map((read) => {
		const attachment = read.attributes?.attachment ?? message.attributes?.attachment
		return { ...message, ...read, attributes: { ...message.attributes, attachment } }
	})
}

/** What the widget shows of a message: nothing of a note for agents, or of a word to the platform. */
function shown(message: WireMessage): CanonicalReply['messages'] {
	const { subtype } = message.attributes ?? {}
	if (subtype === 'private' || subtype === 'info') return []
	return decodeMessage(message, { dialect: 'runtime', caption: '…', home: undefined, asWritten: false })
}
