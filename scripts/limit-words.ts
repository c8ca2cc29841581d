/** What the comments of the table of limits say, for the page that is generated from it. */
import { readFileSync } from 'node:fs'

export interface LimitWords {
	/** What is limited. */
	readonly of: string
	readonly reason: string
	/** What happens beyond it, where that is no error. */
	readonly beyond: string | undefined
}

const entry = /\/\*\*\n(?<comment>(?:\t \*[^\n]*\n)+?)\t \*\/\n\t(?<name>\w+): \{/g

/** The words of each limit, by its name. */
export function readLimitWords(): ReadonlyMap<string, LimitWords> {
	const source = readFileSync(new URL('../src/limits.ts', import.meta.url), 'utf8')
	return new Map(
		[...source.matchAll(entry)].map(({ groups: { name = '', comment = '' } = {} }) => {
			const [of = '', ...tags] = comment
				.replace(/^\t \* ?/gm, '')
				.replace(/\s+/g, ' ')
				.trim()
				.split(' @')
			const tag = (wanted: string) => tags.find((each) => each.startsWith(`${wanted} `))?.slice(wanted.length + 1)
			return [name, { of: of.replace(/\.$/, ''), reason: tag('reason') ?? '', beyond: tag('beyond') }]
		}),
	)
}
