/** `dragoman schema`: prints the JSON Schemas that come with the gateway. */
import { readFile } from 'node:fs/promises'
import { exitCode } from '../exit-code.ts'
import { defineCommand } from './define-command.ts'
import { didYouMean, UsageError } from './usage-error.ts'

/** What is published, by name: the path in the package, and what it describes. */
const schemas: { readonly [name: string]: readonly [path: string, about: string] } = {
	gateway: ['gateway.schema.json', 'the configuration'],
	request: ['schema/request.schema.json', 'what a backend receives'],
	event: ['schema/event.schema.json', 'the event in it'],
	turn: ['schema/turn.schema.json', 'what the gateway says of the turn'],
	reply: ['schema/reply.schema.json', 'what a backend answers'],
	'recorded-turn': ['schema/recorded-turn.schema.json', 'a turn for dragoman replay'],
	openapi: ['schema/openapi.json', "a backend's interface as OpenAPI"],
}

const names = Object.keys(schemas)

export const command = defineCommand({
	name: 'schema',
	usage: ['[NAME]'],
	about: [
		'Prints a JSON Schema, for editors and for code generators. Without a name, lists them.',
		names
			.map((name) => `${name}: ${schemas[name]?.[1]}`)
			.join('; ')
			.concat('.'),
	],
	options: {},
	examples: [
		['dragoman schema', 'list them'],
		['dragoman schema reply > reply.schema.json', 'save one'],
	],
	exitCodes: '0 success, 2 wrong usage',
	async run({ positionals: [name, ...others] }) {
		if (others.length > 0) throw new UsageError('Give the name of one schema.')
		if (name === undefined) {
			for (const each of names) console.log(`${each.padEnd(14)}  ${schemas[each]?.[1]}`)
			return exitCode.ok
		}
		const [path] = (Object.hasOwn(schemas, name) && schemas[name]) || []
		if (path === undefined) {
			throw new UsageError(`No schema is named "${name}"${didYouMean(name, names)} Available: ${names.join(', ')}.`)
		}
		console.log((await readFile(new URL(import.meta.resolve(`dragoman/${path}`)), 'utf8')).trimEnd())
		return exitCode.ok
	},
})
