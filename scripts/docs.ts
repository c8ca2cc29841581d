/** Writes what the documents say of the code, from the code. With `--check` it writes nothing, and fails on any difference. */
import { readFileSync, writeFileSync } from 'node:fs'
import { toJsonSchema } from '@valibot/to-json-schema'
import { adapters } from '../adapters/index.ts'
import { Config } from '../src/config/index.ts'
import { errors } from '../src/errors.ts'
import type { Limit } from '../src/format/index.ts'
import { type CanonicalEvent, eventFeatures, type Feature, replyFeatures } from '../src/model/index.ts'
import { anyToAny } from './any-to-any.ts'
import { table } from './table.ts'

/** What is generated, by file: the new content from the present one. */
const documents: { readonly [file: string]: (present: string) => string } = {
	'docs/errors.md': errorList,
	'adapters/README.md': (present) => between(present, 'support', supportTables()),
	'docs/any-to-any.md': anyToAny,
	'config/gateway.schema.json': configSchema,
}

function errorList(): string {
	const rows = Object.entries(errors).map(([code, [status, advice]]) => [`\`${code}\``, String(status), advice])
	return `<!-- Written by \`npm run docs\` from src/errors.ts. -->

# Errors

Every error of the gateway has a code, which stays the same, and a sentence that says what to do, which may change. It is answered as problem details ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)), \`application/problem+json\`:

\`\`\`json
${JSON.stringify(sample, null, 2)}
\`\`\`

\`title\` is the code. Further members are there where they help: \`field\` (the path of the field at fault, in the sender's own names), \`expected\`, \`limit\`, \`upstreamStatus\`, \`because\` (the code of the error behind this one), \`allowed\`, \`changes\`, and \`turn\`, the id that the log has too. None of them ever holds a value that came from outside.

A platform gets problem details only where it has no better form of its own. A turn that fails answers with the failure reply of its route, or with what its adapter makes of the error; the code is then in the log.

${table(['Code', 'Status', 'What to do'], rows)}
`
}

/** An error as a caller sees it. */
const sample = {
	type: 'urn:dragoman:error:upstream-timeout',
	title: 'upstream-timeout',
	status: errors['upstream-timeout'][0],
	detail: errors['upstream-timeout'][1],
	turn: 'turn_5f0c6f0e-3c1b-4d8e-9a53-0f6f2f4d8a11',
}

function supportTables(): string {
	const made = adapters.map(({ name, create }) => ({ name, adapter: create() }))
	const columns = made.map(({ name }) => `[${name}](${name}/README.md)`)
	const tableOf = (features: readonly Feature[], carried: (i: number) => Carries | undefined) =>
		table(
			['', ...columns],
			features.map((feature) => [
				`\`${feature}\``,
				...made.map((_, i) => {
					const carries = carried(i)
					return carries === undefined ? '' : inWords(carries[feature])
				}),
			]),
		)
	return `Empty: the format does not have it. Characters are UTF-16 units. All is told for the default options of each adapter; a running gateway tells it for a route of yours, with set forms and markup in full, at \`/-/carries/<route>\`.

### Events

${tableOf(eventFeatures, (i) => made[i]?.adapter.event.carries)}

### Replies

${tableOf(replyFeatures, (i) => made[i]?.adapter.reply(bare)?.carries)}`
}

type Carries = { readonly [F in Feature]?: Limit }

/** The event for whose answer the table speaks, where a platform has several kinds of answer. */
const bare: CanonicalEvent = { kind: 'message', attributes: {} }

/** How each limit is told; the empty string where another one tells it. */
const words: { readonly [L in keyof Limit]-?: (value: NonNullable<Limit[L]>, limit: Limit) => string } = {
	required: (_, limit) => (limit.default === undefined ? 'required' : ''),
	chars: (chars) => `${number(chars)} characters`,
	bytes: (bytes) => `${number(bytes)} bytes`,
	items: (items) => `${number(items)} items`,
	min: (min, { max }) => (max === undefined ? `${number(min)} or more` : `${number(min)} to ${number(max)}`),
	max: (max, { min }) => (min === undefined ? `${number(max)} or less` : ''),
	url: () => 'blanks encoded',
	values: (values) => values.map((value) => `\`${value}\``).join(', '),
	pattern: () => 'a set form',
	default: (text) => `\`${text}\` where there is none`,
	strings: () => 'strings only',
	reserved: (names) => (names.length === 0 ? '' : `not ${names.map((name) => `\`${name}\``).join(', ')}`),
	withheld: () => 'no secrets',
	into: (place) => `into the ${place}`,
	derived: () => 'told by the rest',
	escape: () => 'markup escaped',
	plain: () => 'not beside buttons',
	order: (groups) => `order: ${groups.map((group) => group.join(' or ')).join(', ')}`,
	single: () => 'one set of choices, at the end',
}

function inWords(limit: Limit | undefined): string {
	if (limit === undefined) return ''
	const parts = Object.entries(words).flatMap(([name, word]) => {
		const value = limit[name as keyof Limit]
		return value === undefined ? [] : [(word as (value: unknown, limit: Limit) => string)(value, limit)]
	})
	return parts.filter((part) => part !== '').join('; ') || 'yes'
}

const number = (value: number) => value.toLocaleString('en')

function configSchema(): string {
	const schema = toJsonSchema(Config, { typeMode: 'input', target: 'draft-2020-12' })
	return `${JSON.stringify({ title: 'The configuration of a Dragoman gateway', ...schema }, null, '\t')}\n`
}

/** The text with what stands between a pair of markers replaced. */
function between(text: string, name: string, content: string): string {
	const [open, close] = [`<!-- ${name}: written by \`npm run docs\` -->`, `<!-- /${name} -->`]
	const [before, after] = [text.indexOf(open), text.indexOf(close)]
	if (before === -1 || after < before) throw new Error(`The markers of "${name}" are missing: ${open} … ${close}`)
	return `${text.slice(0, before)}${open}\n\n${content}\n\n${text.slice(after)}`
}

const checking = process.argv.includes('--check')
const stale: string[] = []
for (const [file, write] of Object.entries(documents)) {
	const place = new URL(`../${file}`, import.meta.url)
	const present = read(place)
	const wanted = write(present)
	if (wanted === present) continue
	stale.push(file)
	if (!checking) writeFileSync(place, wanted)
}
for (const file of stale) console.log(`${file} ${checking ? 'is not what the code says: run npm run docs' : 'written'}`)
if (checking && stale.length > 0) process.exitCode = 1

function read(place: URL): string {
	try {
		return readFileSync(place, 'utf8')
	} catch {
		return ''
	}
}
