/** Writes the generated parts of the documents from the code. With `--check` it writes nothing, and fails on any difference. */
import { readFileSync, writeFileSync } from 'node:fs'
import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { adapters } from '../adapters/index.ts'
import { Config } from '../src/config/index.ts'
import { errors } from '../src/errors.ts'
import type { Limit } from '../src/format/index.ts'
import { type GatewayLimit, limits } from '../src/limits.ts'
import { type CanonicalEvent, eventFeatures, type Feature, replyFeatures } from '../src/model/index.ts'
import { limitInWords, RecordedTurn } from '../src/simulator/index.ts'
import { anyToAny } from './any-to-any.ts'
import { commandLinePage } from './command-line.ts'
import { describeConfig } from './config-words.ts'
import { type ContractName, contract, contractSchema } from './contract-schemas.ts'
import { contributing } from './contributing.ts'
import { replaceBlock } from './generated-block.ts'
import { readLimitWords } from './limit-words.ts'
import { openApi } from './openapi.ts'
import { performanceChart, performancePage, sizingPage } from './performance.ts'
import { scalePage } from './scale.ts'
import { table } from './table.ts'

/** What is generated, by file: makes the new content from the present one. */
const documents: { readonly [file: string]: (present: string) => string } = {
	'docs/errors.md': errorList,
	'docs/limits.md': limitList,
	'adapters/README.md': (present) => replaceBlock(present, 'support', supportTables()),
	'docs/any-to-any.md': anyToAny,
	'docs/command-line.md': commandLinePage,
	'docs/contributing.md': contributing,
	'docs/performance.md': performancePage,
	'docs/performance.svg': performanceChart,
	'docs/sizing.md': sizingPage,
	'docs/scale.md': scalePage,
	'config/gateway.schema.json': configSchema,
	...contractDocuments(),
	'config/gateway.json': exampleConfig,
	'config/worker.json': workerConfig,
}

function errorList(): string {
	const rows = Object.entries(errors).map(([code, [status, advice]]) => [
		`\`${code}\``,
		String(status),
		advice.replaceAll('_', '\\_'),
	])
	return `<!-- Written by \`npm run docs\` from src/errors.ts. -->

# Errors

Every error of the gateway has a stable code, and a sentence that says what to do, which may change. It is sent as problem details ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)), \`application/problem+json\`:

\`\`\`json
${JSON.stringify(sample, null, 2)}
\`\`\`

\`title\` is the code. Further members, where they apply: \`field\` (the path of the invalid field, in the sender's own names), \`expected\`, \`mistakes\` and \`moreMistakes\` (all wrong fields, if there are several), \`limit\`, \`upstreamStatus\`, \`because\` (the code of the underlying error), \`allowed\`, \`changes\`, and \`turn\`, the id that is also in the log. None of them ever contains a value from outside.

A platform gets problem details only if it has no better format for errors. A failed turn is answered with the failure reply of its route, or with the adapter's own error answer; the code is then in the log.

${table(['Code', 'Status', 'What to do'], rows)}
`
}

function limitList(): string {
	const words = readLimitWords()
	const rows = Object.entries<GatewayLimit>(limits).map(([name, { value, unit, code, setting }]) => {
		const { of = '', reason = '', beyond = '' } = words.get(name) ?? {}
		return [
			of,
			`${value.toLocaleString('en')} ${unit}`,
			code === undefined ? beyond : `[\`${code}\`](errors.md)`,
			setting === undefined ? '' : `\`${setting}\``,
			reason,
		]
	})
	return `<!-- Written by \`npm run docs\` from src/limits.ts. -->

# Limits

The gateway's own limits. They are far above what people and platforms use; their purpose is that no single call can stop the gateway for others, or use up its memory. A limit with a setting can be changed in [the configuration](../config/gateway.schema.json); the others are fixed. What a platform allows is less: see [what each platform carries](../adapters/README.md#what-each-platform-carries).

${table(['What is limited', 'Limit', 'Beyond it', 'Setting', 'Reason'], rows)}

In an upstream's answer, an error that names the answer's content is reported as \`upstream-reply-invalid\`, with the code above as \`because\`.
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
					return carries === undefined ? '' : limitInWords(carries[feature])
				}),
			]),
		)
	return `An empty cell means that the format has no such field. Characters are UTF-16 units. The README of each format describes what only that format does. The tables show the default options of each adapter; \`/-/carries/<route>/<secret>\` of a running gateway shows one of your routes, with patterns and markup in full.

### Events

${tableOf(eventFeatures, (i) => made[i]?.adapter.event.carries)}

### Replies

${tableOf(replyFeatures, (i) => made[i]?.adapter.reply(bare)?.carries)}`
}

type Carries = { readonly [F in Feature]?: Limit<F> }

/** The event whose answer the table describes, if a platform has several kinds of answer. */
const bare: CanonicalEvent = { kind: 'message', attributes: {} }

function configSchema(): string {
	const schema = describeConfig(toJsonSchema(Config, { typeMode: 'input', target: 'draft-2020-12' }))
	return `${JSON.stringify({ title: 'The configuration of a Dragoman gateway', ...schema }, null, '\t')}\n`
}

function contractDocuments(): { [file: string]: () => string } {
	const names = Object.keys(contract) as ContractName[]
	const written = (document: object) => () => `${JSON.stringify(document, null, '\t')}\n`
	return {
		...Object.fromEntries(names.map((name) => [`schema/${name}.schema.json`, written(contractSchema(name))])),
		'schema/openapi.json': written(openApi()),
		'schema/recorded-turn.schema.json': written(recordedTurn()),
	}
}

function recordedTurn(): object {
	const schema = toJsonSchema(RecordedTurn, { typeMode: 'input', target: 'draft-2020-12' })
	return { title: 'A recorded turn, for dragoman replay', ...schema }
}

const Example = v.looseObject({
	routes: v.array(
		v.looseObject({ name: v.string(), path: v.string(), platform: v.union([v.string(), v.array(v.string())]) }),
	),
})

/** The example with a route added for each adapter that has none. */
function exampleConfig(present: string): string {
	const platforms = v.parse(Example, JSON.parse(present)).routes.flatMap(({ platform }) => platform)
	const routes = adapters
		.filter(({ name }) => !platforms.includes(name))
		.map(({ name, examples: [options] }) => ({
			...{ name, path: `/${name}`, platform: name },
			...(JSON.stringify(options) !== '{}' && { options }),
		}))
		.map((route) => `,\n\t\t${JSON.stringify(route, null, 1).replaceAll(/\n */g, ' ')}`)
	const end = present.lastIndexOf('\n\t]')
	return present.slice(0, end) + routes.join('') + present.slice(end)
}

/** The same example for a Worker, which anybody can reach: each route has to say that it is open. */
function workerConfig(): string {
	const { routes, ...example } = v.parse(Example, JSON.parse(read(new URL('../config/gateway.json', import.meta.url))))
	const open = routes.map(({ name, path, platform, ...route }) => ({ name, path, platform, open: true, ...route }))
	return `${JSON.stringify({ ...example, routes: open }, null, '\t')}\n`
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
for (const file of stale) console.log(`${file} ${checking ? 'is out of date: run npm run docs' : 'written'}`)
if (checking && stale.length > 0) process.exitCode = 1

function read(place: URL): string {
	try {
		return readFileSync(place, 'utf8')
	} catch {
		return ''
	}
}
