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
		edits: [equal('timingSafeEqual(filled(blocks[0], a.slice(0, 8)), filled(blocks[1], b.slice(0, 8)))')],
		caughtBy: { file: 'test/node/equal.test.ts' },
	},
	{
		id: 'compared-in-varying-time',
		fault: 'Secrets are compared with `===`',
		edits: [equal('a === b')],
		caughtBy: { file: 'test/node/equal.test.ts' },
	},
	{
		id: 'token-compared-in-varying-time',
		fault: 'The token in the query is compared with `===`',
		edits: [
			{
				file: 'src/format/auth.ts',
				find: 'crypto.equal(token, secret)',
				replace: 'token === secret',
			},
		],
		caughtBy: { file: 'test/node/equal.test.ts' },
	},
	{
		id: 'path-logged',
		fault: 'The secret in the path is logged once',
		edits: [
			{
				file: 'src/http/app.ts',
				find: '		const { route, pathSecret, isDecoy, maxBody } =',
				replace:
					"		if (!isLogged && (isLogged = true)) runtime.log({ level: 'info', msg: 'call', path })\n		const { route, pathSecret, isDecoy, maxBody } =",
			},
			{
				file: 'src/http/app.ts',
				find: '	const logRejection = createRejectionLog(runtime)\n',
				replace: '	const logRejection = createRejectionLog(runtime)\n	let isLogged = false\n',
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
	{
		id: 'body-before-secret',
		fault: 'The body of a call is read before its secret is compared',
		edits: [
			{
				file: 'src/turn/admission.ts',
				find: "	if (proof === 'none') return await drop(body, new GatewayError('not-found'))\n",
				replace:
					"	if (proof === 'none') {\n		await body.read(false).catch(() => '')\n		return refuse(new GatewayError('not-found'))\n	}\n",
			},
		],
		caughtBy: { file: 'test/bodies.test.ts' },
	},
	{
		id: 'stranger-parsed',
		fault: "A stranger's body is parsed to find the token in it",
		edits: [
			{
				file: 'adapters/pingstreams/auth.ts',
				find: 'of candidateTokens(call.body)) if',
				replace: 'of [parsed(Signed, () => bodyAsJson(call))?.token ?? "", ...candidateTokens(call.body)]) if',
			},
		],
		caughtBy: { file: 'test/bodies.test.ts', test: 'is not parsed' },
	},
	{
		id: 'spelled-secret-passed',
		fault: 'A percent-encoded secret is not redacted',
		edits: [
			{
				file: 'src/turn/secret-finder.ts',
				find: "const isSpelled = text.includes('%') || text.includes('\\\\')",
				replace: 'const isSpelled = false',
			},
		],
		caughtBy: { file: 'test/secrets.test.ts', test: 'is found' },
	},
	{
		id: 'attributes-not-redacted',
		fault: "A route's secret in an attribute reaches the backend",
		edits: [
			{
				file: 'src/turn/encode-event.ts',
				find: 'if (!(await containsSecret(encoded, hasSecret, runtime))) return { event: received.event, sent, encoded }',
				replace: 'if (sent) return { event: received.event, sent, encoded }',
			},
		],
		caughtBy: { file: 'test/secrets.test.ts' },
	},
	{
		id: 'secret-between-slices',
		fault: 'A secret that lies across two slices of a large body is not found',
		edits: [{ file: 'src/turn/redact.ts', find: 'const overlap = 4096', replace: 'const overlap = 0' }],
		caughtBy: { file: 'test/secrets.test.ts', test: 'in a large body' },
	},
	{
		id: 'author-redacted',
		fault: '`author` is taken for the name of a secret',
		edits: [
			{
				file: 'src/turn/secret-names.ts',
				find: 'anywhere.has(each) ||',
				replace: "each.startsWith('auth') || anywhere.has(each) ||",
			},
		],
		caughtBy: { file: 'test/secrets.test.ts', test: 'does not' },
	},
	{
		id: 'keys-logged',
		fault: 'Keys of bodies are logged as they are',
		edits: [
			{
				file: 'src/turn/path-namer.ts',
				find: 'if (plainPath.test(path) && !hasSecret(path)) return path',
				replace: 'if (plainPath.test(path) || path) return path',
			},
		],
		caughtBy: { file: 'test/secrets.test.ts', test: 'no plain name' },
	},
]

function equal(comparison: string): Plant['edits'][number] {
	return {
		file: 'src/node/node-runtime.ts',
		find: 'timingSafeEqual(filled(blocks[0], a), filled(blocks[1], b))',
		replace: comparison,
	}
}
