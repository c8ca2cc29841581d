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
			'Enough for thousands of calls at the same moment. Callers who have not proved who they are, because their proof stands in the body or the route is open, get half of it.',
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
	repliesAtOnce: {
		of: 'All replies of upstreams that are being read at the same time, on Node',
		value: 64 * 1024 * 1024,
		unit: 'bytes',
		reason: 'Each origin gets half of it, so that one that stalls does not keep out the others.',
		beyond: { code: 'too-many-replies' },
	},
	repliesAtOnceOnWorkers: {
		of: 'The same, in one instance of a Worker',
		value: 32 * 1024 * 1024,
		unit: 'bytes',
		reason: 'An instance has 128 MB for everything.',
		beyond: { code: 'too-many-replies' },
	},
	uncountedBodyBytes: {
		of: 'The beginning of a body, of a call or a reply, which does not count among those being read',
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
		of: 'JSON values in a body: each list and object is one, keys are none',
		value: 10_000,
		unit: 'values',
		reason: 'Platforms send some hundreds. They are counted before anything is parsed.',
		beyond: { code: 'too-many-values' },
	},
	fields: {
		of: 'Fields of a form or a query',
		value: 2000,
		unit: 'fields',
		reason: 'Platforms send some dozens, and each becomes an attribute. They are counted before anything is parsed.',
		beyond: { code: 'too-many-values' },
	},
	writtenForm: {
		of: 'An event for an upstream whose format is a form or a query: its names and values',
		value: 1024 * 1024,
		unit: 'UTF-16 units',
		reason: 'To encode a form takes many times as long as to write JSON. Only Pingstreams sends events of that size.',
		beyond: { code: 'event-too-large' },
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
	openChoicesBytes: {
		of: 'The choices of those replies, as JSON',
		value: 100_000,
		unit: 'bytes',
		reason: 'As much as the strictest known platform accepts as one answer. They are read at each turn.',
		beyond: {
			effect:
				'The choices of the oldest replies are forgotten. Those of a reply that exceeds it alone are not remembered. The log line of the turn says `choicesForgotten`.',
		},
	},
	lateReplies: {
		of: 'Late replies that are stored for a conversation',
		value: 10,
		unit: 'replies',
		reason: 'They are sent before the next reply, all at once.',
		beyond: { effect: 'Further late replies are dropped.' },
	},
	lateRepliesBytes: {
		of: 'Those late replies, as JSON',
		value: 100_000,
		unit: 'bytes',
		reason: 'As much as the strictest known platform accepts as one answer, for they become part of one.',
		beyond: { effect: 'A late reply that would exceed it is dropped. The log line `late` says so.' },
	},
	rememberedAnswers: {
		of: 'Answers of a conversation that are remembered for repeated calls',
		value: 100,
		unit: 'answers',
		reason: 'Platforms repeat a call within minutes.',
		beyond: { effect: 'The oldest is forgotten: its call is a new one when it comes again.' },
	},
	rememberedAnswersBytes: {
		of: 'Those answers, as JSON',
		value: 2_000_000,
		unit: 'bytes',
		reason: 'As much as one row of the storage on Workers can have.',
		beyond: { effect: 'The oldest are forgotten. One that exceeds it alone is not remembered.' },
	},
	conversationKey: {
		of: 'The key under which a conversation is remembered: the name of the route and the id',
		value: 256,
		unit: 'UTF-16 units',
		reason: 'Ids of platforms are far shorter. Keys are kept in memory, and compared often.',
		beyond: { effect: 'A hash replaces it.' },
	},
	rememberedTime: {
		of: 'Time for which choices, late replies and answers are remembered',
		value: 24,
		unit: 'hours',
		reason: 'Users return within a day, and platforms repeat calls earlier.',
		beyond: { effect: 'They are forgotten.' },
	},
	rememberedHeap: {
		of: 'What is remembered of all conversations, on Node',
		value: 10,
		unit: '% of the heap limit',
		reason: 'The rest is for calls under way. `--max-old-space-size` sets the heap limit of a process.',
		beyond: { effect: 'The conversations that were idle the longest are forgotten.' },
	},
	claimedHeap: {
		of: 'Calls under way that repeated calls wait for, on Node',
		value: 1,
		unit: '% of the heap limit',
		reason: 'In the smallest heap that is tested, more calls than the process takes at once.',
		beyond: { effect: 'Repetitions of further calls do not wait: they are new calls.' },
	},
	eventBytes: {
		of: 'An event in the outbox of a Node process',
		value: 4 * 1024 * 1024,
		unit: 'bytes',
		reason: 'An event is written again when it is delivered. Also at most an eighth of `outbox.maxBytes`.',
		beyond: { code: 'event-too-large' },
	},
	waitingEvents: {
		of: 'Events that wait for the disk',
		value: 20_000,
		unit: 'events',
		reason: 'Some seconds of the most that a process accepts: a disk that is slower than that does not catch up.',
		beyond: { code: 'outbox-full' },
	},
	waitingBytes: {
		of: 'Bytes of the events that wait for the disk',
		value: 64 * 1024 * 1024,
		unit: 'bytes',
		reason: 'They are in memory, besides what is being read.',
		beyond: { code: 'outbox-full' },
	},
	outboxBytes: {
		of: 'The file of the outbox; its log may take half as much while another program reads it',
		value: 1024 * 1024 * 1024,
		unit: 'bytes',
		reason: 'Hundreds of thousands of events, on most disks a small part.',
		beyond: { code: 'outbox-full' },
		setting: 'outbox.maxBytes',
	},
} as const satisfies { readonly [name: string]: GatewayLimit }
