/** The contract with backends as an OpenAPI document: the calls that a backend takes, and the replies that it sends by itself. */
import { errors } from '../src/errors.ts'
import { type ContractName, contractSchema, type JsonSchema } from './contract-schemas.ts'
import { exampleReplies, exampleRequest } from './page-examples.ts'

const base = '#/components/schemas/'

const ref = (name: string) => ({ $ref: `${base}${name}` })
const jsonBody = (name: string, examples: object) => ({ 'application/json': { schema: ref(name), examples } })

/** The document, with the schemas of schema/ among its components. */
export function openApi(): JsonSchema {
	return {
		openapi: '3.1.0',
		info: {
			title: 'A backend of Dragoman',
			version: '1',
			summary: 'What the gateway sends to a backend, and what the backend may answer.',
			description:
				'A backend is one URL that takes POST. This document is for the canonical format, which is the default of an upstream. What a platform cannot hold is changed, and what is "reported" is named: what an event lost, in turn.changes; what a reply lost, in the log of the gateway. The limits of a route are at /-/carries/ on the gateway, and in this document where a gateway serves it for a route. The package has docs/canonical-model.md, which describes every field in more detail.',
			license: { name: 'MIT', identifier: 'MIT' },
		},
		webhooks: { turn: { post: turnOperation() } },
		components: { schemas: { ...schemas(), Problem: problem, Accepted: accepted } },
	}
}

/** What the gateway does with the status of an answer, where it says something of its own. */
function turnOperation(): JsonSchema {
	return {
		operationId: 'answerTurn',
		summary: 'Something happened on a platform.',
		description:
			'Answer before turn.answerBy. If turn.answer is "never", the status alone counts and the body is not read. The gateway itself answers a call that a platform repeats. A call may come again, with the same turn.id and the same webhook-id: if it was certainly not sent, on routes that are "idempotent", and from the outbox. The gateway follows no redirects.',
		parameters: [
			...signatureHeaders,
			{
				in: 'header',
				name: 'cdn-loop',
				required: true,
				description:
					'The routes that this call came through (RFC 8586). Pass it on if you call another gateway: it ends loops.',
				schema: { type: 'string' },
				example: 'dragoman-5f0c6f0e3c1b4d8e',
			},
		],
		requestBody: { required: true, content: jsonBody('Request', { message: { value: exampleRequest() } }) },
		responses: {
			'200': {
				description:
					'The reply. Any other 2xx status means the same. An empty body is an empty reply. With a body that does not match the schema, the turn fails, as with 4xx.',
				content: jsonBody('Reply', examplesOf(exampleReplies())),
			},
			'204': { description: 'Nothing to say.' },
			'410': {
				description:
					'The backend will never take this event: from the outbox, it becomes a dead letter at once. Otherwise the same as any 4xx.',
			},
			'429': retryLater('Too many calls'),
			'503': retryLater('Not now'),
			'4XX': {
				description:
					'The turn failed: the user gets the failure reply of the route or, without one, what the platform shows after an error. Events from the outbox are sent again on its schedule. The circuit stays closed.',
			},
			'5XX': {
				description:
					'The same, and the circuit breaker counts it: after several of them in a row, calls fail without being sent until a probe succeeds.',
			},
			default: { description: 'Any other status, redirects among them: the turn failed, as with 4xx.' },
		},
		callbacks: { reply: { '{$request.body#/turn/replyUrl}': { post: replyOperation() } } },
	}
}

const signatureHeaders = [
	['webhook-id', 'The turn’s id, the same when the call is sent again.'],
	[
		'webhook-timestamp',
		'When this call was signed, in seconds since 1970. Refuse what is more than five minutes old, or ahead of your clock.',
	],
	[
		'webhook-signature',
		'One signature per key, separated by spaces: "v1," and the HMAC-SHA256, in base64, of the id, the timestamp and the body, joined by full stops. The key is what follows "whsec_", decoded from base64. One signature that fits is enough.',
	],
].map(([name, description]) => ({
	in: 'header',
	name,
	required: false,
	description: `${description} On upstreams with "sign", as Standard Webhooks specifies.`,
	schema: { type: 'string' },
}))

function retryLater(what: string): JsonSchema {
	return {
		description: `${what}: the turn failed, and the gateway calls again after Retry-After at the earliest: at most a minute for turns, a day for events from the outbox.`,
		headers: { 'retry-after': { description: 'Seconds, or a date of HTTP.', schema: { type: 'string' } } },
	}
}

function replyOperation(): JsonSchema {
	return {
		operationId: 'sendReply',
		summary: 'A reply that the backend sends by itself, later and as often as it likes.',
		description:
			'Events have a replyUrl if the configuration has "publicUrl" and "replyUrl", and the event a conversation. The URL is the proof: keep it secret.',
		parameters: [
			{
				in: 'header',
				name: 'idempotency-key',
				required: false,
				description: 'For a day, a key means one reply in its conversation: the same reply again has no second effect.',
				schema: { type: 'string' },
			},
		],
		requestBody: { required: true, content: jsonBody('Reply', examplesOf(exampleReplies())) },
		responses: {
			'202': {
				description: 'The reply is on stable storage, and will be pushed to the platform.',
				content: jsonBody('Accepted', { accepted: { value: { id: exampleId, changes: [] } } }),
			},
			...problemResponses,
		},
	}
}

const exampleId = 'turn_0b6e1f9c-6d0b-4c4e-8f55-6d1a1d0f5a90'

/** The errors of replies that are posted, by their status. */
const codes = [
	'body-not-json',
	'body-not-utf8',
	'body-too-deep',
	'too-many-values',
	'reserved-key',
	'field-invalid',
	'field-missing',
	'reply-url-invalid',
	'body-too-large',
	'encoding-not-supported',
	'push-not-supported',
	'posted-reply-does-not-fit',
	'idempotency-key-reused',
	'too-many-bodies',
	'outbox-full',
	'outbox-failed',
] as const

const problemResponses = Object.fromEntries(
	Map.groupBy(codes, (code) => errors[code][0])
		.entries()
		.map(([status, alike]) => [
			`${status}`,
			{
				description: alike.map((code) => `\`${code}\`: ${errors[code][1]}`).join('\n\n'),
				content: { 'application/problem+json': { schema: ref('Problem') } },
			},
		]),
)

const accepted = {
	title: 'An accepted reply',
	type: 'object',
	properties: {
		id: { description: 'Names the reply in the log, and as a dead letter.', type: 'string' },
		changes: { description: 'What the platform will not show of it.', ...ref('Turn/properties/changes') },
		moreChanges: { description: 'How many changes are not in the list.', type: 'integer' },
	},
	required: ['id', 'changes'],
}

const problem = {
	title: 'An error (RFC 9457)',
	description: 'docs/errors.md lists all codes, and further members.',
	type: 'object',
	properties: {
		type: { description: 'urn:dragoman:error: and the code.', type: 'string' },
		title: { description: 'The code, which never changes.', type: 'string' },
		status: { type: 'integer' },
		detail: { description: 'What to do, in words that may change.', type: 'string' },
		field: { description: 'The path of the wrong field.', type: 'string' },
		expected: { description: 'What was expected there.', type: 'string' },
	},
	required: ['type', 'title', 'status', 'detail'],
}

/** The schemas of the contract. Those of events have names of their own: unlike replies, they have room for later releases. */
function schemas(): JsonSchema {
	const { schema: request, definitions: ofRequest } = component('request', `${base}Event`)
	const { schema: event } = component('event', `${base}Event`)
	const { schema: turn } = component('turn', `${base}Event`)
	const { schema: reply, definitions: ofReply } = component('reply', base)
	return {
		Request: { ...request, properties: { ...Object(request.properties), event: ref('Event'), turn: ref('Turn') } },
		Event: event,
		Turn: turn,
		Reply: reply,
		...ofReply,
		...Object.fromEntries(Object.entries(ofRequest).map(([name, definition]) => [`Event${name}`, definition])),
	}
}

function component(
	name: ContractName,
	base: string,
): { readonly schema: JsonSchema; readonly definitions: JsonSchema } {
	const { $schema: _, $defs, ...schema } = contractSchema(name, base)
	return { schema, definitions: { ...Object($defs) } }
}

function examplesOf(replies: { readonly [name: string]: unknown }): JsonSchema {
	return Object.fromEntries(Object.entries(replies).map(([name, value]) => [name, { value }]))
}
