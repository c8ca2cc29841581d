/** The parts of docs/contributing.md that repeat the code: the example adapter, the contract, `carries` and the helpers. */
import { readFileSync } from 'node:fs'
import type * as v from 'valibot'
import { featureLimits } from '../src/format/carries.ts'
import type { Carries } from '../src/format/index.ts'
import type { CanonicalEvent, CanonicalReply } from '../src/model/index.ts'
import { branchesOf, keysOf } from '../src/schema/index.ts'
import { replaceBlock } from './generated-block.ts'
import { table } from './table.ts'

/** The page with its generated parts as the code has them now. */
export function contributing(present: string): string {
	const blocks = {
		adapter: exampleAdapter(present),
		members: contract(),
		carries: carriesTable(),
		helpers: helpers(),
	}
	return Object.entries(blocks).reduce((page, [name, content]) => replaceBlock(page, name, content), present)
}

/** The files of the adapter that the page says to copy, in the order in which to read them. */
function exampleAdapter(page: string): string {
	const folder = /\*\*Copy `(.+?)`\*\*/.exec(page)?.[1]
	return ['index.ts', 'options.ts', 'event.ts', 'reply.ts', 'limits.ts', 'fixtures/reply.quickreplies.json']
		.map((file) => ({ file: `${folder}/${file}`, type: file.endsWith('.json') ? 'json' : 'ts' }))
		.map(({ file, type }) => `\`${file}\`:\n\n\`\`\`${type}\n${sourceOf(file)}\`\`\``)
		.join('\n\n')
}

/** The interfaces of the contract, and where they are. */
const contractFiles = {
	AdapterFactory: 'adapter.ts',
	Adapter: 'adapter.ts',
	Leg: 'leg.ts',
	Handshake: 'adapter.ts',
	Auth: 'auth.ts',
	Crypto: 'crypto.ts',
	Push: 'push.ts',
	PushTarget: 'push.ts',
	PushCall: 'push.ts',
}

function contract(): string {
	return Object.entries(contractFiles)
		.map(([name, file]) => {
			const rows = membersOf(sourceOf(`src/format/${file}`), name).map(({ name, isRequired, doc }) => {
				const [what = '', absent = ''] = doc.split(/ Absent: /)
				return [isRequired ? `**\`${name}\`**` : `\`${name}\``, what, absent.replace(/\.$/, '')]
			})
			return `#### ${name}\n\n${table(['Member', 'What it is', 'Absent means'], rows)}`
		})
		.join('\n\n')
}

interface Member {
	readonly name: string
	readonly isRequired: boolean
	readonly doc: string
}

/** The members of an interface with their doc comments. Throws on one without. */
function membersOf(source: string, name: string): Member[] {
	const body = new RegExp(`^export interface ${name}\\b.*\\{\\n([\\s\\S]*?)^\\}`, 'm').exec(source)?.[1] ?? ''
	const members = [...body.matchAll(/(?:^\t\/\*\*([\s\S]*?)\*\/\n)?^\t(?:readonly )?(\w+)(\??)[(:].*$/gm)]
	if (members.length === 0) throw new Error(`no members of ${name} found`)
	return members.map(([, comment, member = '', mark]) => {
		if (comment === undefined) throw new Error(`${name}.${member} has no doc comment`)
		return { name: member, isRequired: mark === '', doc: textOf(comment) }
	})
}

/** What a platform can do, and the lines of `carries` that say so. */
const abilities: readonly (readonly [ability: string, carries: Carries<CanonicalEvent> | Carries<CanonicalReply>])[] = [
	['shows texts', { 'reply.text': {} }],
	['shows texts of at most 640 characters (longer ones are split)', { 'reply.text': { chars: 640 } }],
	['rejects a text that is only white space', { 'reply.text': { notBlank: true } }],
	['rejects an answer without a text', { 'reply.text': { required: true } }],
	['interprets `::next::` in a text as markup', { 'reply.text': { escape: '::(?=next::)' } }],
	['chooses one of several texts itself', { 'reply.text.alternatives': {} }],
	['does so, but not for a text with buttons', { 'reply.text.alternatives': { withoutButtons: true } }],
	[
		'shows at most 3 buttons below a text, which send a value back or open a page',
		{
			'reply.text.buttons': { items: 3 },
			'reply.button.title': { chars: 20 },
			'reply.button.postback': {},
			'reply.button.link': {},
		},
	],
	['shows the buttons of several texts in one place', { 'reply.button.title': { apart: true } }],
	[
		'offers choices, and sends the value of the one that was picked',
		{ 'reply.choices': {}, 'reply.choice.title': {}, 'reply.choice.value': {} },
	],
	[
		'offers at most 10 choices, and sends only the label of the one that was picked',
		{ 'reply.choices': { items: 10 }, 'reply.choice.title': {} },
	],
	[
		'shows cards, each with an image',
		{
			'reply.cards': {},
			'reply.card.title': { chars: 80 },
			'reply.card.subtitle': {},
			'reply.card.image': { required: true },
			'reply.card.buttons': { items: 3 },
		},
	],
	['shows pictures, with a description', { 'reply.image': {}, 'reply.image.alt': {} }],
	['opens only web addresses, without white space', { 'reply.image': { pattern: '^https?://', blanks: 'encoded' } }],
	['shows videos, audio and files', { 'reply.video': {}, 'reply.audio': {}, 'reply.file': {} }],
	['waits before a message, for at most ten seconds', { 'reply.delay': { max: 10_000 } }],
	['needs a delay for each message', { 'reply.delay': { min: 100, max: 10_000, default: 100 } }],
	['shows at most 5 messages per answer', { 'reply.messages': { items: 5 } }],
	['has one list of texts and one of cards, in this order', { 'reply.messages': { order: [['text'], ['cards']] } }],
	['has one set of choices per answer, below all messages', { 'reply.messages': { single: true } }],
	['reads at most 100,000 bytes', { reply: { bytes: 100_000 } }],
	['stores values with the conversation, strings only', { 'reply.attributes.session': { strings: true } }],
	['stores values with the user, except under the name `email`', { 'reply.attributes.user': { reserved: ['email'] } }],
	[
		'stores the values of a user with the conversation',
		{ 'reply.attributes.session': {}, 'reply.attributes.user': { foldedInto: 'session' } },
	],
	[
		'lets backends choose what to do by an action; without one, by the name of another platform’s step',
		{ 'event.trigger': { required: true, values: ['step'] }, 'event.trigger.action': { fromName: true } },
	],
	['deletes a stored value', { 'reply.attributes.delete': {} }],
	[
		'closes the conversation, or hands it over to a person',
		{ 'reply.control.close': {}, 'reply.control.handover': {} },
	],
	['calls for messages only (every event leg has `event.kind`)', { 'event.kind': { values: ['message'] } }],
	['calls for the user’s words only', { 'event.sender': { values: ['user'], required: true } }],
	['sends the user’s words', { 'event.text': {} }],
	[
		'sends ids of the event, the conversation and the user',
		{ 'event.id': {}, 'event.conversation': {}, 'event.user.id': {} },
	],
	['reports which button was pressed', { 'event.choice': {}, 'event.choice.label': {} }],
	['sends the stored values', { 'event.attributes': {}, 'event.user.attributes': {} }],
]

function carriesTable(): string {
	const shown = new Set(abilities.flatMap(([, carries]) => Object.values(carries).flatMap(Object.keys)))
	const missing = Object.values(featureLimits)
		.flatMap(limitNames)
		.find((name) => !shown.has(name))
	if (missing !== undefined) throw new Error(`no ability shows the limit ${missing}`)
	return table(
		['The platform …', 'Write'],
		abilities.map(([ability, carries]) => [ability, codeOf(carries)]),
	)
}

function limitNames(schema: v.GenericSchema): readonly string[] {
	return [schema, ...(branchesOf(schema, {}) ?? [])].flatMap(keysOf)
}

function codeOf(carries: object): string {
	const lines = Object.entries(carries).map(([feature, limit]) => `'${feature}': ${literal(limit)}`)
	return lines.map((line) => `\`${line}\``).join(', ')
}

/** A value as its author writes it in TypeScript. */
function literal(value: unknown): string {
	if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\')}'`
	if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
	if (typeof value !== 'object' || value === null) return String(value)
	const members = Object.entries(value).map(([name, member]) => `${name}: ${literal(member)}`)
	return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}

/** The functions and constants of `src/format/index.ts`, with the first sentence of their doc comments. */
function helpers(): string {
	const door = sourceOf('src/format/index.ts')
	const rows = [...door.matchAll(/^export \{([^}]*)\} from '\.\/(.+)'$/gm)].flatMap(([, names = '', file]) => {
		const source = sourceOf(`src/format/${file}`)
		const values = names
			.split(',')
			.map((name) => name.trim())
			.filter((name) => name !== '' && !name.startsWith('type '))
		return values.map((name) => [`\`${name}\``, firstSentence(docOf(source, name))])
	})
	return table(['Helper', 'What it does'], rows)
}

function docOf(source: string, name: string): string {
	const doc = new RegExp(`/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\nexport (?:async )?(?:function|const) ${name}\\b`).exec(
		source,
	)?.[1]
	if (doc === undefined) throw new Error(`${name} has no doc comment`)
	return textOf(doc)
}

function firstSentence(text: string): string {
	return /^.*?[.](?= |$)/.exec(text)?.[0] ?? text
}

/** The text of a doc comment on one line. */
function textOf(comment: string): string {
	return comment.replaceAll(/\n\s*\* ?/g, ' ').trim()
}

function sourceOf(file: string): string {
	return readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
}
