/** The contract with the backend of one route, as OpenAPI: the document of the package, and what the route carries. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import * as v from 'valibot'
import { routeCapabilities } from '../http/index.ts'
import { replyFeatures } from '../model/index.ts'
import type { Route } from '../route.ts'
import { limitInWords } from '../simulator/index.ts'

const Document = v.looseObject({ info: v.looseObject({ description: v.string() }) })

/**
 * The document, with the limits of the route in words for readers, and as `x-carries` for programs. They are no part of
 * the schemas: what exceeds them is valid, and is changed.
 */
export async function routeContract(route: Route): Promise<object> {
	const file = createRequire(import.meta.url).resolve('dragoman/schema/openapi.json')
	const document = v.parse(Document, JSON.parse(await readFile(file, 'utf8')))
	const { info } = document
	const description = `${info.description}\n\n${describe(route)}`
	return { ...document, info: { ...info, description }, 'x-carries': routeCapabilities(route) }
}

const becomes = {
	degrade: 'What a reply has beyond it is converted, split, shortened or dropped, and the log of the gateway names it.',
	strict: 'A reply that would lose anything beyond it fails the turn (`reply-does-not-fit`).',
}

/** In Markdown, as OpenAPI has it. */
function describe(route: Route): string {
	const parts = routeCapabilities(route).platforms.map(({ name, reply }) => {
		const lines = replyFeatures.flatMap((feature) => {
			const limit = reply[feature]
			return limit === undefined ? [] : [`- \`${feature}\`: ${limitInWords(limit)}`]
		})
		return `### A reply to ${name}\n\n${lines.length === 0 ? 'The platform reads no reply.' : lines.join('\n')}`
	})
	const intro = `This is what the platform of the route carries; it has no field for anything else. ${becomes[route.policy]} \`x-carries\` has the same for programs, and what events may hold.`
	return [`## The route ${route.name}`, intro, ...parts].join('\n\n')
}
