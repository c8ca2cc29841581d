/** What an answer can express. */
import type { CanonicalReply, Carries } from '../../../src/format/index.ts'
import { targetPattern } from '../button-action.ts'
import type { AnsweredDialect } from '../dialect.ts'
import { reservedVariables } from '../event/attributes.ts'
import { markupOf, unfilled, variables, visible } from '../markup.ts'
import { placeholderTypes } from '../media.ts'
import type { Options } from '../options.ts'

/** How words, labels and addresses are limited: by what the platform would execute in them. */
interface WordLimits {
	readonly markup?: string
	readonly label: object
	readonly url: object
}

/** What messages can hold, however they reach the platform. */
export function messageCarries({ caption }: Options, { markup, label, url }: WordLimits): Carries<CanonicalReply> {
	const broken = markup === undefined ? {} : { escape: markup }
	const words = { ...broken, pattern: visible, default: caption }
	return {
		'reply.messages': {},
		'reply.text': { notBlank: true, ...broken },
		'reply.text.buttons': {},
		'reply.image': url,
		'reply.image.alt': words,
		'reply.video': url,
		'reply.audio': url,
		'reply.file': url,
		'reply.media.name': words,
		'reply.media.mimeType': { reserved: placeholderTypes },
		'reply.cards': {},
		'reply.card.title': label,
		'reply.card.subtitle': label,
		// The widget shows a broken picture for none.
		'reply.card.image': { ...url, required: true },
		'reply.card.buttons': {},
		'reply.button.title': label,
		'reply.button.postback': {},
		'reply.button.link': url,
		'reply.button.webview': url,
	}
}

/** What a dialect's answer carries. */
function carriesOf(dialect: AnsweredDialect, options: Options, limits: WordLimits): Carries<CanonicalReply> {
	const { 'reply.text': text, ...others } = messageCarries(options, limits)
	const { silence } = options
	return {
		...others,
		'reply.text': { ...text, ...(dialect === 'server' && silence !== undefined && { default: silence }) },
		// After half a minute, the widget shows the next message in any case.
		'reply.delay': { min: 1, max: 30_000 },
		...(dialect === 'runtime' && { 'reply.control.blockInput': {} }),
	}
}

/**
 * What is carried of a backend that speaks another format: its words are words, and nothing of them is executed.
 * `hasCards`: whether the user's channel shows cards.
 */
export function translatedCarries(
	dialect: AnsweredDialect,
	options: Options,
	hasCards: boolean,
): Carries<CanonicalReply> {
	const plain = { markup: markupOf(dialect), label: { escape: variables }, url: { pattern: unfilled } }
	const { 'reply.cards': cards, ...others } = carriesOf(dialect, options, plain)
	return {
		...others,
		...(hasCards && { 'reply.cards': cards }),
		// Those of all texts show under the last message.
		'reply.button.title': { ...plain.label, apart: true },
		'reply.button.goto': { pattern: targetPattern(dialect) },
		...(dialect === 'runtime' && {
			'reply.attributes.session': { strings: true, reserved: reservedVariables },
			'reply.control.close': {},
			'reply.control.handover': { values: ['human', 'department', 'bot'] },
			'reply.control.handover.name': { pattern: unfilled },
			'reply.control.handover.id': { pattern: unfilled },
			'reply.control.goto': {},
		}),
	}
}

/** What is carried of a backend that speaks this format itself: what the platform executes in its words is meant. */
export function writtenCarries(dialect: AnsweredDialect, options: Options): Carries<CanonicalReply> {
	return carriesOf(dialect, options, { label: {}, url: {} })
}

/** Channels whose connectors know no carousels: Tiledesk/tiledesk-telegram-connector and tiledesk-whatsapp-connector. */
const withoutCards: readonly string[] = ['telegram', 'whatsapp']

export function showsCards(channel: string | undefined): boolean {
	return channel === undefined || !withoutCards.includes(channel)
}
