/** The one table of the gateway's own limits. A platform's limits stand with its adapter. docs/limits.md is generated from it. */
import type { ErrorCode } from './errors.ts'

/** One limit, and what becomes of what exceeds it. */
export interface GatewayLimit {
	/** What is limited. */
	readonly of: string
	readonly value: number
	/** What is counted: plural, as after a number. */
	readonly unit: string
	/** Why it is there, and why it is this large. */
	readonly reason: string
	/** The code of the error, or what happens instead of one. */
	readonly beyond: { readonly code: ErrorCode } | { readonly effect: string }
	/** The key in the configuration that changes it. Absent: it is fixed. */
	readonly setting?: string
}

export const limits = {
	bodyBytes: {
		of: 'The body of a call',
		value: 1024 * 1024,
		unit: 'bytes',
		reason: 'Platforms send a few kilobytes. An adapter allows more where its platform sends more.',
		beyond: { code: 'body-too-large' },
	},
	bodiesAtOnce: {
		of: 'All bodies of calls that are being read at the same time, on Node',
		value: 64 * 1024 * 1024,
		unit: 'bytes',
		reason:
			'Enough for thousands of calls at the same moment. Callers who have not proved who they are, because their proof stands in the body or the route is open, get half of it. Answers of upstreams do not count: they are bounded by their own size and by "concurrency".',
		beyond: { code: 'too-many-bodies' },
		setting: 'limits.bodiesAtOnce',
	},
	bodiesAtOnceOnWorkers: {
		of: 'The same, in one instance of a Worker',
		value: 32 * 1024 * 1024,
		unit: 'bytes',
		reason: 'An instance has 128 MB for everything.',
		beyond: { code: 'too-many-bodies' },
		setting: 'limits.bodiesAtOnce',
	},
	uncountedBodyBytes: {
		of: 'The beginning of a body, which does not count among those being read',
		value: 16 * 1024,
		unit: 'bytes',
		reason: 'Nearly every call is smaller. So strangers who fill the budget do not keep out ordinary calls.',
		beyond: { effect: 'The rest counts.' },
	},
	unprovenBodyBytes: {
		of: 'What is read, and dropped, of the body of a caller without the secret or on an unknown path',
		value: 64 * 1024,
		unit: 'bytes',
		reason: 'A caller who is still sending would not get the answer.',
		beyond: { effect: 'The answer is sent at once, and the connection is closed soon after.' },
	},
	replyBytes: {
		of: "The body of an upstream's answer",
		value: 1024 * 1024,
		unit: 'bytes',
		reason: 'Ten times what the strictest known platform accepts.',
		beyond: { code: 'upstream-reply-too-large' },
	},
	jsonDepth: {
		of: 'Nesting of JSON',
		value: 32,
		unit: 'levels',
		reason: 'JSON.parse accepts millions of levels, and everything behind it fails at some thousands.',
		beyond: { code: 'body-too-deep' },
	},
	values: {
		of: 'Values in a body (JSON values, each list and object included, but not keys; or the fields of a form), and fields in a query',
		value: 20_000,
		unit: 'values',
		reason: 'Platforms send some hundreds. They are counted before anything is parsed.',
		beyond: { code: 'too-many-values' },
	},
	listItems: {
		of: 'Items of one list of an event or a reply: messages, alternatives, buttons, choices, cards, media, contexts, participants, tags',
		value: 200,
		unit: 'items',
		reason: 'Platforms show some dozens at most.',
		beyond: { code: 'field-invalid' },
	},
	elements: {
		of: 'What messages are made of, in all messages of an event or a reply together: messages, alternatives, buttons, choices, cards',
		value: 1000,
		unit: 'elements',
		reason: 'Each may have to be converted for the platform. The limit of one list alone would allow many thousands.',
		beyond: { code: 'field-invalid' },
	},
	attributes: {
		of: 'Attributes in one place, such as those of the session or those of the user',
		value: 1000,
		unit: 'attributes',
		reason: 'Bots use some dozens. A value may be any JSON, which is counted as such.',
		beyond: { code: 'field-invalid' },
	},
	comparedLabel: {
		of: "What is compared with the labels of choices: the user's words, and a label",
		value: 512,
		unit: 'UTF-16 units',
		reason:
			'Nothing longer is a label. To order the combining marks of a text takes time that grows with the square of their number.',
		beyond: { effect: 'It is only compared as it is.' },
	},
	openReplies: {
		of: 'Replies of a conversation whose choices stay open',
		value: 5,
		unit: 'replies',
		reason: 'A user may still press a button further up.',
		beyond: { effect: 'The choices of the oldest reply are forgotten.' },
	},
	lateReplies: {
		of: 'Late replies that are stored for a conversation',
		value: 10,
		unit: 'replies',
		reason: 'They are sent before the next reply, all at once.',
		beyond: { effect: 'Further late replies are dropped.' },
	},
} as const satisfies { readonly [name: string]: GatewayLimit }
