/** Faults of secrets: who gets in, and what comes out. */
import type { Plant } from './plant.ts'

export const secretPlants: readonly Plant[] = [
	{
		id: 'hook-secret-not-compared',
		fault: '`x-hook-secret` is not compared',
		edits: [
			{
				file: 'adapters/pingstreams/auth.ts',
				find: "return secret !== '' && matches.includes(true)",
				replace: "return secret !== '' && matches.length > 0",
			},
		],
		caughtBy: { file: 'adapters/pingstreams/pingstreams.test.ts' },
	},
	{
		id: 'last-token-counts',
		fault: 'The last of two `token` fields counts',
		edits: [
			{
				file: 'src/format/auth.ts',
				find: "tokens.length === 1 ? (tokens[0]?.[1] ?? '') : ''",
				replace: "tokens.at(-1)?.[1] ?? ''",
			},
		],
		caughtBy: { file: 'test/app.test.ts' },
	},
	{
		id: 'first-characters-count',
		fault: 'The first 8 characters of a secret are enough',
		edits: [equal('timingSafeEqual(sha256(a.slice(0, 8)), sha256(b.slice(0, 8)))')],
		caughtBy: { file: 'test/node/equal.test.ts' },
	},
	{
		id: 'compared-in-varying-time',
		fault: 'Secrets are compared with `===`',
		edits: [equal('a === b')],
		caughtBy: { file: 'test/node/equal.test.ts' },
	},
	{
		id: 'path-logged',
		fault: 'The secret in the path is logged once',
		edits: [
			{
				file: 'src/http/app.ts',
				find: '		if (refusal) logRejection(',
				replace:
					"		if (!logged && (logged = true)) runtime.log({ level: 'info', msg: 'call', path })\n		if (refusal) logRejection(",
			},
			{
				file: 'src/http/app.ts',
				find: '	const app = new Hono()\n',
				replace: '	const app = new Hono()\n	let logged = false\n',
			},
		],
		caughtBy: { row: 'D22' },
	},
	{
		id: 'upstream-url-logged',
		fault: "The upstream's URL is logged with its secret when its circuit opens",
		edits: [{ file: 'src/upstream/call.ts', find: 'URL.parse(url)?.origin', replace: 'url' }],
		caughtBy: { file: 'test/resilience.test.ts', test: 'opens the circuit' },
	},
]

function equal(comparison: string): Plant['edits'][number] {
	return {
		file: 'src/node/node-runtime.ts',
		find: 'timingSafeEqual(sha256(a), sha256(b))',
		replace: comparison,
	}
}
