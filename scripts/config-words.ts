/** Puts the comments of the configuration's schema into its JSON Schema, as descriptions for editors. */
import { readFileSync } from 'node:fs'

const declaration = /^export const (\w+) = /
const member = /^(\t+)(\$?\w+): /
const lastLine = /\*\/$/

/** The comment of each member, by its path from the constant that it is in: `Route.late.after`. */
function readComments(): ReadonlyMap<string, string> {
	const source = readFileSync(new URL('../src/config/schema.ts', import.meta.url), 'utf8')
	const words = new Map<string, string>()
	let path: { readonly name: string; readonly depth: number }[] = []
	let comment: string[] = []
	let isOpen = false
	for (const line of source.split('\n')) {
		const text = line.trim()
		if (text.startsWith('/**') || isOpen) {
			if (text.startsWith('/**')) comment = []
			comment.push(text.replace(/^\/\*\*|^\*(?!\/)|\*\/$/g, '').trim())
			isOpen = !lastLine.test(text)
			continue
		}
		const [, constant] = declaration.exec(line) ?? []
		const [, tabs = '', name] = member.exec(line) ?? []
		if (constant !== undefined) path = [{ name: constant, depth: 0 }]
		else if (name !== undefined)
			path = [...path.filter(({ depth }) => depth < tabs.length), { name, depth: tabs.length }]
		if (constant !== undefined || name !== undefined) {
			words.set(path.map((each) => each.name).join('.'), comment.filter((each) => each !== '').join(' '))
		}
		comment = []
	}
	return words
}

/** The constants that hold the members of others. */
const references: { readonly [path: string]: string } = {
	'Config.upstream': 'Upstream',
	'Config.routes': 'Route',
	'Config.limits': 'Limits',
	'Config.outbox': 'Outbox',
	'Outbox.postgres': 'Postgres',
	'Config.metrics': 'Metrics',
	'Config.state': 'State',
	'State.postgres': 'Postgres',
	'Config.replyUrl': 'ReplyUrl',
	'Route.upstream': 'Upstream',
}

/** The JSON Schema of the configuration, with a description of each member that has a comment. */
export function describeConfig(schema: object): object {
	const words = readComments()

	function describe(node: object, path: string): object {
		const { properties, ...keywords } = membersOf(node)
		const home = isSecret(properties) ? 'Secret' : (references[path] ?? path)
		const described = Object.entries(keywords).map(([key, value]) => [key, inside(value, path)])
		return {
			...Object.fromEntries(described.filter(([key]) => key === 'type')),
			...(isObject(properties) && { properties: describeMembers(properties, home) }),
			...Object.fromEntries(described.filter(([key]) => key !== 'type')),
			...(home === 'Secret' && { description: words.get(home) }),
		}
	}

	function describeMembers(properties: object, home: string): object {
		return Object.fromEntries(
			Object.entries(properties).map(([name, property]) => {
				const here = `${home}.${name}`
				const description = words.get(here)
				return [name, { ...describe(property, here), ...(description && { description }) }]
			}),
		)
	}

	function inside(value: unknown, path: string): unknown {
		if (Array.isArray(value)) return value.map((each) => inside(each, path))
		return isObject(value) ? describe(value, path) : value
	}

	return describe(schema, 'Config')
}

function isObject(value: unknown): value is object {
	return typeof value === 'object' && value !== null
}

function membersOf(value: object): { readonly [name: string]: unknown } {
	return { ...value }
}

function isSecret(properties: unknown): boolean {
	return isObject(properties) && Object.keys(properties).join() === 'env'
}
