/** What survives between each platform and each upstream format, found by running one probe for each thing a bot can say. */
import { adapters } from '../adapters/index.ts'
import { fitEvent, fitReply } from '../src/fit/index.ts'
import type { CanonicalEvent, CanonicalReply, Change, Message } from '../src/model/index.ts'
import { table } from './table.ts'

const context = { turnId: 'turn_1', receivedAt: '2026-01-01T00:00:00.000Z', remembers: true }

const event = (part: Partial<CanonicalEvent>): CanonicalEvent => ({ kind: 'message', attributes: {}, ...part })
const reply = (part: Partial<CanonicalReply>): CanonicalReply => ({
	messages: [],
	attributes: { session: {}, user: {} },
	...part,
})
const message = (each: Message): CanonicalReply => reply({ messages: [each] })

/** Each probe contains one thing; a change on its path is a change of that thing. */
const eventProbes: readonly [name: string, path: string, probe: CanonicalEvent][] = [
	['text', 'text', event({ text: 'Hello' })],
	['choice', 'choice', event({ kind: 'choice', choice: { value: 'v' } })],
	['start', 'kind', event({ kind: 'start' })],
	['media', 'media', event({ media: [{ kind: 'image', url: 'https://a.example/b.png' }] })],
	['event id', 'id', event({ id: 'e1' })],
	['conversation', 'conversation', event({ conversation: 'c1' })],
	['user', 'user.id', event({ user: { id: 'u1', attributes: {} } })],
	['user’s name', 'user.name', event({ user: { name: 'Ada', attributes: {} } })],
	['language', 'language', event({ language: 'en' })],
	['trigger', 'trigger', event({ trigger: { kind: 'interaction', name: 'order' } })],
	['attributes', 'attributes', event({ attributes: { size: 'L' } })],
	['default reply', 'defaultReply', event({ defaultReply: [{ type: 'text', text: 'One moment' }] })],
]

const button = { type: 'postback', title: 'Go on', value: 'go' } as const
const replyProbes: readonly [name: string, path: string, probe: CanonicalReply][] = [
	['text', 'messages', message({ type: 'text', text: 'Hello' })],
	['random text', 'messages', message({ type: 'text', text: 'Hello', alternatives: ['Hi'] })],
	['choices', 'messages', message({ type: 'choices', text: 'Which?', choices: [{ title: 'Tea', value: 'tea' }] })],
	['buttons', 'messages', message({ type: 'text', text: 'Do', buttons: [button] })],
	[
		'links',
		'messages',
		message({ type: 'text', text: 'Do', buttons: [{ type: 'link', title: 'Shop', url: 'https://a.example' }] }),
	],
	['image', 'messages', message({ type: 'image', url: 'https://a.example/b.png' })],
	[
		'cards',
		'messages',
		message({
			type: 'cards',
			cards: [{ title: 'Tea', subtitle: 'Green', imageUrl: 'https://a.example/b.png', buttons: [button] }],
		}),
	],
	['session attributes', 'attributes.session', reply({ attributes: { session: { size: 'L' }, user: {} } })],
	['user attributes', 'attributes.user', reply({ attributes: { session: {}, user: { size: 'L' } } })],
	['hand-over', 'control', reply({ control: { handover: { to: 'human' } } })],
	['close', 'control', reply({ control: { close: true } })],
]

type Format = (typeof formats)[number]

const formats = adapters.map(({ name, examples: [options], create }) => ({ name, adapter: create(options) }))

/** What is left of a probe: `yes` if unchanged, `simpler` if converted, empty if lost. */
function outcome(fitted: { readonly changes: readonly Change[] } | undefined, path: string): string {
	if (!fitted) return ''
	const changes = fitted.changes.filter((change) => change.did !== 'added' && concerns(change.path, path))
	if (changes.length === 0) return 'yes'
	// A part that was converted has reached the other side.
	return changes.some(({ did }) => did !== 'dropped') ? 'simpler' : ''
}

function concerns(changed: string, path: string): boolean {
	return changed.startsWith(path) || path.startsWith(changed)
}

/** One table a direction: a row a pair, a column a probe. */
export function anyToAny(): string {
	const rows = (probe: (platform: Format, upstream: Format) => string[]) =>
		formats.flatMap((platform) =>
			formats.map((upstream) => [platform.name, upstream.name, ...probe(platform, upstream)]),
		)
	const least = (...outcomes: string[]): string =>
		outcomes.includes('') ? '' : outcomes.includes('simpler') ? 'simpler' : 'yes'

	const events = rows((platform, upstream) =>
		eventProbes.map(([, path, probe]) => {
			const sides = [platform, upstream].map(({ adapter }) => outcome(fitEvent(probe, adapter.event, context), path))
			return least(...sides)
		}),
	)
	const replies = rows((platform, upstream) =>
		replyProbes.map(([, path, probe]) => {
			const sides = [upstream, platform].map(({ adapter }) => {
				const leg = adapter.reply(event({}))
				return outcome(leg && fitReply(probe, leg, context), path)
			})
			return least(...sides)
		}),
	)
	return `<!-- Written by \`npm run docs\`: each cell is the result of running the adapters. -->

# Any platform to any upstream

A backend that already answers the webhooks of one platform can serve all the others unchanged: name that format as the upstream's \`adapter\`. What both formats can express survives. The tables show it for each pair: *yes* means unchanged, *simpler* means converted (choices to numbered text, a link to its URL), and an empty cell means that one of the two has no field for it. Every loss is named in the turn's changes.

## Events: from the platform to the upstream

${table(['platform', 'upstream', ...eventProbes.map(([name]) => name)], events)}

## Replies: from the upstream to the platform

${table(['platform', 'upstream', ...replyProbes.map(([name]) => name)], replies)}

## What a backend may answer in a platform's format

- **What its platform would read.** JSON may have any content type. A number is read for a text, a label or an id; \`1\`, \`"1"\` and \`"true"\` for a flag; what PHP writes for a list with gaps (\`{"0": …, "2": …}\`) or an empty one (\`{}\`) for a list.
- **What is no answer fails the turn**, with \`upstream-reply-invalid\`: \`{"error": …}\`, a misspelt key where nothing else is said, and in the formats of ChatBot and BotDistrikt any object of unknown keys. The error names a misspelt key and the one that was probably meant. To say nothing, answer with an empty body.
- **Merge tags** (\`{{name}}\`, \`{{memory.name}}\`, \`\${name}\`) are filled for users of another platform, from the reply's attributes or else the event's. A tag without a value stays, and is named.
- **Jumps** to a step of the bot's flow mean nothing on another platform: such a button sends its label, and the reply does not jump. Both are named.
- **What only its own format has** is named part by part when another platform gets the reply, and refused there on a \`strict\` route.
- **Relative addresses** are dropped and named on another platform, or get \`https\` where only the scheme is missing (\`//host/path\`, \`www.host/path\`).
`
}
