/**
 * The one table of the gateway's own limits. A platform's limits stand with its adapter. docs/limits.md is generated from
 * it: what is limited is the first sentence of a comment, `@reason` says why the limit is there and why it is this large,
 * and `@beyond` what happens to what exceeds it, where that is no error.
 */
import type { ErrorCode } from './errors.ts'

/** One limit. */
export interface GatewayLimit {
	readonly value: number
	/** What is counted: plural, as after a number. */
	readonly unit: string
	/** The error of what exceeds it. Absent: it is no error, and the comment says what happens. */
	readonly code?: ErrorCode
	/** The key in the configuration that changes it. Absent: it is fixed. */
	readonly setting?: string
}

export const limits = {
	/**
	 * The body of a call.
	 * @reason Platforms send a few kilobytes. An adapter allows more where its platform sends more.
	 */
	bodyBytes: { value: 1024 * 1024, unit: 'bytes', code: 'body-too-large', setting: 'routes[].maxBody' },
	/**
	 * All bodies of calls that are being read at the same time, on Node.
	 * @reason Enough for thousands of calls at the same moment. Callers who have not proved who they are, because
	 * their proof stands in the body or the route is open, get half of it.
	 */
	bodiesAtOnce: { value: 64 * 1024 * 1024, unit: 'bytes', code: 'too-many-bodies', setting: 'limits.bodiesAtOnce' },
	/**
	 * The same, in one instance of a Worker.
	 * @reason An instance has 128 MB for everything.
	 */
	bodiesAtOnceOnWorkers: {
		value: 32 * 1024 * 1024,
		unit: 'bytes',
		code: 'too-many-bodies',
		setting: 'limits.bodiesAtOnce',
	},
	/**
	 * All replies of upstreams that are being read at the same time, on Node.
	 * @reason Each origin gets half of it, so that one that stalls does not keep out the others.
	 */
	repliesAtOnce: { value: 64 * 1024 * 1024, unit: 'bytes', code: 'too-many-replies' },
	/**
	 * The same, in one instance of a Worker.
	 * @reason An instance has 128 MB for everything.
	 */
	repliesAtOnceOnWorkers: { value: 32 * 1024 * 1024, unit: 'bytes', code: 'too-many-replies' },
	/**
	 * The beginning of a body, of a call or a reply, which does not count among those being read.
	 * @reason Nearly every call is smaller. So strangers who fill the budget do not keep out ordinary calls.
	 * @beyond The rest counts.
	 */
	uncountedBodyBytes: { value: 16 * 1024, unit: 'bytes' },
	/**
	 * What is read, and dropped, of the body of a caller without the secret or on an unknown path.
	 * @reason A caller who is still sending would not get the answer.
	 * @beyond The answer is sent at once, and the connection is closed soon after.
	 */
	unprovenBodyBytes: { value: 64 * 1024, unit: 'bytes' },
	/**
	 * The body of an upstream's answer.
	 * @reason Ten times what the strictest known platform accepts.
	 */
	replyBytes: { value: 1024 * 1024, unit: 'bytes', code: 'upstream-reply-too-large' },
	/**
	 * Nesting of JSON.
	 * @reason JSON.parse accepts millions of levels, and everything behind it fails at some thousands.
	 */
	jsonDepth: { value: 32, unit: 'levels', code: 'body-too-deep' },
	/**
	 * JSON values in a body: each list and object is one, keys are none.
	 * @reason Platforms send some hundreds. They are counted before anything is parsed.
	 */
	values: { value: 10_000, unit: 'values', code: 'too-many-values' },
	/**
	 * Fields of a form or a query.
	 * @reason Platforms send some dozens, and each becomes an attribute. They are counted before anything is parsed.
	 */
	fields: { value: 2000, unit: 'fields', code: 'too-many-values' },
	/**
	 * An event for an upstream whose format is a form or a query: its names and values.
	 * @reason To encode a form takes many times as long as to write JSON. Only Pingstreams sends events of that size.
	 */
	writtenForm: { value: 1024 * 1024, unit: 'UTF-16 units', code: 'event-too-large' },
	/**
	 * Items of one list of an event or a reply: messages, alternatives, buttons, choices, cards, media, contexts,
	 * participants, tags.
	 * @reason Platforms show some dozens at most.
	 */
	listItems: { value: 200, unit: 'items', code: 'field-invalid' },
	/**
	 * What messages are made of, in all messages of an event or a reply together: messages, alternatives, buttons,
	 * choices, cards.
	 * @reason Each may have to be converted for the platform. The limit of one list alone would allow many thousands.
	 */
	elements: { value: 1000, unit: 'elements', code: 'field-invalid' },
	/**
	 * Attributes in one place, such as those of the session or those of the user.
	 * @reason Bots use some dozens. A value may be any JSON, which is counted as such.
	 */
	attributes: { value: 1000, unit: 'attributes', code: 'field-invalid' },
	/**
	 * What is compared with the labels of choices: the user's words, and a label.
	 * @reason Nothing longer is a label. To order the combining marks of a text takes time that grows with the square
	 * of their number.
	 * @beyond It is only compared as it is.
	 */
	comparedLabel: { value: 512, unit: 'UTF-16 units' },
	/**
	 * Replies of a conversation whose choices stay open.
	 * @reason A user may still press a button further up.
	 * @beyond The choices of the oldest reply are forgotten.
	 */
	openReplies: { value: 5, unit: 'replies' },
	/**
	 * The choices of those replies, as JSON.
	 * @reason As much as the strictest known platform accepts as one answer. They are read at each turn.
	 * @beyond The choices of the oldest replies are forgotten. Those of a reply that exceeds it alone are not
	 * remembered. The log line of the turn says `choicesForgotten`.
	 */
	openChoicesBytes: { value: 100_000, unit: 'bytes' },
	/**
	 * Late replies that are stored for a conversation.
	 * @reason They are sent before the next reply, all at once.
	 * @beyond Further late replies are dropped.
	 */
	lateReplies: { value: 10, unit: 'replies' },
	/**
	 * Those late replies, as JSON.
	 * @reason As much as the strictest known platform accepts as one answer, for they become part of one.
	 * @beyond A late reply that would exceed it is dropped. The log line `late` says so.
	 */
	lateRepliesBytes: { value: 100_000, unit: 'bytes' },
	/**
	 * Calls to a platform's API that push one reply.
	 * @reason Each message is one or two, and each thing that is set on the conversation is one.
	 */
	pushCalls: { value: 1000, unit: 'calls', code: 'reply-does-not-fit' },
	/**
	 * Answers of a conversation that are remembered for repeated calls.
	 * @reason Platforms repeat a call within minutes.
	 * @beyond The oldest is forgotten: its call is a new one when it comes again.
	 */
	rememberedAnswers: { value: 100, unit: 'answers' },
	/**
	 * Those answers, as JSON.
	 * @reason As much as one row of the storage on Workers can have.
	 * @beyond The oldest are forgotten. One that exceeds it alone is not remembered.
	 */
	rememberedAnswersBytes: { value: 2_000_000, unit: 'bytes' },
	/**
	 * The key under which a conversation is remembered: the name of the route and the id.
	 * @reason Ids of platforms are far shorter. Keys are kept in memory, and compared often.
	 * @beyond A hash replaces it.
	 */
	conversationKey: { value: 256, unit: 'UTF-16 units' },
	/**
	 * The sealed part of a URL for replies.
	 * @reason Servers and clients take URLs of 8,000 (RFC 9110, section 4.1). Most are a quarter of this.
	 * @beyond The event has no `turn.replyUrl`, and the log line of the turn says so. A longer URL is not opened.
	 */
	sealedRecipient: { value: 4000, unit: 'UTF-16 units' },
	/**
	 * Time for which choices, late replies and answers are remembered.
	 * @reason Users return within a day, and platforms repeat calls earlier.
	 * @beyond They are forgotten.
	 */
	rememberedTime: { value: 24, unit: 'hours' },
	/**
	 * What is remembered of all conversations, on Node.
	 * @reason The rest is for calls under way. `--max-old-space-size` sets the heap limit of a process.
	 * @beyond The conversations that were idle the longest are forgotten.
	 */
	rememberedHeap: { value: 10, unit: '% of the heap limit' },
	/**
	 * Calls under way that repeated calls wait for, on Node.
	 * @reason In the smallest heap that is tested, more calls than the process takes at once.
	 * @beyond Repetitions of further calls do not wait: they are new calls.
	 */
	claimedHeap: { value: 1, unit: '% of the heap limit' },
	/**
	 * An event in the outbox of a Node process.
	 * @reason An event is written again when it is delivered. Also at most an eighth of `outbox.maxBytes`.
	 */
	eventBytes: { value: 4 * 1024 * 1024, unit: 'bytes', code: 'event-too-large' },
	/**
	 * Events that wait for the disk.
	 * @reason Some seconds of the most that a process accepts: a disk that is slower than that does not catch up.
	 */
	waitingEvents: { value: 20_000, unit: 'events', code: 'outbox-full' },
	/**
	 * Bytes of the events that wait for the disk.
	 * @reason They are in memory, besides what is being read.
	 */
	waitingBytes: { value: 64 * 1024 * 1024, unit: 'bytes', code: 'outbox-full' },
	/**
	 * The file of the outbox; its log may take half as much while another program reads it.
	 * @reason Hundreds of thousands of events, on most disks a small part.
	 */
	outboxBytes: { value: 1024 * 1024 * 1024, unit: 'bytes', code: 'outbox-full', setting: 'outbox.maxBytes' },
} as const satisfies { readonly [name: string]: GatewayLimit }
