/**
 * The platform's API as its server answers: messages of a conversation, and its orchestration. Tiledesk/tiledesk-server:
 * routes/message.js, request.js, department.js, middleware/passport.js, has-role.js, pubmodules/messageTransformer and
 * messageActions. Any bot may be called in it; its departments and the other bots are those of `departments` and `bots`.
 */
import * as v from 'valibot'
import {
	type ApiCall,
	type Json,
	matches,
	NonEmpty,
	readJson,
	readJsonBody,
	type SimulatedApi,
	type WireRequest,
} from '../../../src/format/index.ts'
import { eventLeg } from '../event/index.ts'
import { Options } from '../options.ts'
import { accepted, notFound, refused, unauthorized } from './answers.ts'
import { bots, type Conversation, departments, opened, type Project } from './conversation.ts'
import { routes } from './routes.ts'

export { bots, departments } from './conversation.ts'

/** What the server accepts of a body: express writes it as 500KB. */
const maxBytes = 500 * 1024

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
		const given = matches(WithToken, body) ? body.token : undefined
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
