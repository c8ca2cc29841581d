/** Messages of a conversation: what the server refuses, what it makes of a text, and what the user then sees. */
import * as v from 'valibot'
import {
	type ApiAnswer,
	Attributes,
	bodyAsJson,
	type CanonicalReply,
	emptyReply,
	type Json,
	jsonResponse,
	matches,
	NonEmpty,
	type WireResponse,
} from '../../../src/format/index.ts'
import { decodeButtonAction } from '../button-action.ts'
import { decodeMessage, WireMessage } from '../reply/message.ts'
import { readMarkup } from '../reply/read-markup.ts'
import { accepted, missingRequest, refused } from './answers.ts'
import { type Call, closed, requestOf, toPeople } from './conversation.ts'

/** The project's labels: a text that names one of them is replaced by it. */
const labels = new Map([['LABEL_WELCOME', 'Welcome to the shop']])

/** With a bot's token, a message cannot open a conversation: that takes a member of the project. */
export function missingForMessage(body: Json): WireResponse {
	if (Array.isArray(body)) return missingRequest()
	if (isWordless(body)) return wordless
	if (!matches(WithSender, body)) return jsonResponse({ success: false, msg: 'Error creating request' }, 500)
	const msg = `Unauthorized. Project_user not found with user id  : ${body.sender}`
	return jsonResponse({ success: false, msg }, 403)
}

const wordless = jsonResponse({ errors: ['text field is required'] }, 422)
const WithSender = v.object({ sender: NonEmpty })
const Words = v.object({ text: v.pipe(v.string(), v.regex(/\S/)) })
const OfOtherType = v.object({ type: v.pipe(v.string(), v.nonEmpty(), v.notValue('text')) })

/** A message that is a text, and has none. */
function isWordless(message: Json): boolean {
	return !matches(Words, message) && !matches(OfOtherType, message)
}

export function say({ conversation, body, newId }: Call): ApiAnswer {
	if (!Array.isArray(body)) return refused(422, { errors: ['request body is not array'] })
	const messages: readonly Json[] = body
	const answers = messages.map((each) => sayOne({ conversation, body: each, last: '', newId }))
	const failed = answers.find(({ response }) => response.status !== 200)
	if (failed) return failed
	const seen = { ...emptyReply, messages: answers.flatMap((each) => each.seen?.messages ?? []) }
	const bodies = answers.map(({ response }) => bodyAsJson(response))
	return { ...accepted(bodies, seen), held: new Map(answers.flatMap(({ held = [] }) => [...held])) }
}

export function sayOne({ conversation, body, newId }: Call): ApiAnswer {
	if (isWordless(body)) return { response: wordless }
	const parsed = v.safeParse(WireMessage, body)
	if (!parsed.success || !matches(Attributes, body)) {
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

const Asking = v.object({
	attributes: v.object({ microlanguage: v.optional(v.unknown()), templateProcessor: v.optional(v.unknown()) }),
})

/** What the server makes of a message's text: a label, a filled template, buttons; and the command behind a backslash. */
function executed(
	message: WireMessage,
	body: Json,
): { readonly messages: readonly WireMessage[]; readonly command: 'agent' | 'close' | undefined } {
	const { microlanguage, templateProcessor } = matches(Asking, body) ? body.attributes : {}
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
