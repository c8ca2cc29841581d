/** Secrets can be found neither by trying nor by time, and no route is left without its guard. */

import nodeCrypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import type { WireResponse } from '../../../src/format/index.ts'
import type { GatewayInside } from '../../harness/gateway.ts'
import { type Call, jsonType } from '../../harness/http.ts'
import { own, type Platform, platforms } from '../../harness/platforms.ts'
import { oneOf } from '../../harness/random.ts'
import { asBytes, exchange } from '../../harness/sockets.ts'
import { none, type Row, type Trial, unless } from '../row.ts'
import { codeOf, nth } from '../turns.ts'

const secret = 'Zr8k-3f0Qm2yW7tXa1Lc'
const rotated = secret + secret
/** Of the same length, and wrong. */
const others = {
	'wrong at its start': `Y${secret.slice(1)}`,
	'wrong at its end': `${secret.slice(0, -1)}b`,
	'wrong all through': 'aB3dE6gH9jK1mN4pQ7sT',
}
/** Student's t beyond which two samples are taken to differ. */
const mostT = 4.5
const demanded = 1_000_000

export const tokenGuessing: Row = {
	id: 'D13',
	fault: 'Secrets are guessed, at random and close to the right one, and rejections are timed',
	demand:
		'0 of 1,000,000 accepted; each rejection compares every secret in constant time, as often as any other; Welch’s t < 4.5 between secrets wrong at the start, wrong at the end, and unknown routes',
	except:
		'no counters per source and no lockout, because bots of one platform share its addresses and 1,000,000 guesses find nothing; a secret under 16 characters causes a warning, not an error; timing reveals whether a path exists if some routes are protected by their path and others by authentication in the call, and so does a body over 64 KiB for a route whose proof stands in the body',
	async run(trial) {
		const { random } = trial
		const gateway = await guarded(trial, platforms)
		const broken: string[] = []
		for (const platform of platforms) {
			const { status } = await gateway.send(await platform.prove(secret))
			broken.push(...unless(status === 200, `${platform.name}: the right secret gets ${status}`))
		}
		const guesses = trial.at(4000, 20_000, demanded)
		let accepted = 0
		for (let i = 0; i < guesses; i++) {
			const guess = guessed(random)
			// HMAC fills keys with NULs: one more at the end is the same key.
			if ([secret, rotated, `${secret}\0`].includes(guess)) continue
			const { status } = await gateway.send(await oneOf(platforms, random).prove(guess))
			if (status !== 404) accepted++
			gateway.lines.length = 0
		}

		const samples = trial.at(2000, 5000, 20_000)
		const missed = unless(guesses >= demanded, `${guesses} guesses, for lack of time; --full runs all`)
		const reached: string[] = []
		for (const [how, some] of byProof) {
			broken.push(...(await compareUnevenly(trial, some)).map((found) => `${how}: ${found}`))
			let worst = { what: '', t: Number.POSITIVE_INFINITY }
			// What is only noise is another noise the next time.
			for (let tries = 0; tries < 3 && worst.t >= mostT; tries++) {
				const found = await timeRefusals(await guarded(trial, some), nth(some, 0), samples, random)
				if (found.t < worst.t) worst = found
			}
			reached.push(`t ≤ ${worst.t.toFixed(1)} for routes with the secret in the ${how}`)
			if (worst.t >= mostT) missed.push(`t = ${worst.t.toFixed(1)} between ${worst.what}, with ${how}, three times`)
		}
		return {
			reached: `${accepted} of ${guesses} guesses accepted; of ${samples} samples each ${reached.join(', ')}`,
			...{ broken: [...broken, ...none(accepted, 'guesses were not refused')], missed },
		}
	},
}

/** Where calls have their proof: `path`, `query:token`, `header:x-hook-secret`, `body:token`. */
const proofOf = ({ adapter }: Platform): string => adapter.auth?.scheme ?? 'path'
const byProof = [...Map.groupBy(platforms, proofOf)]

/** What is wrong with how often a rejection compares secrets. */
async function compareUnevenly(trial: Trial, some: readonly Platform[]): Promise<string[]> {
	const gateway = await guarded(trial, some)
	const counts = new Map<string, number>()
	for (const { what, call } of await rejections(nth(some, 0))) {
		counts.set(what, await comparisonsIn(() => gateway.send(call)))
	}
	const said = [...counts].map(([what, count]) => `${what}: ${count}`).join(', ')
	// Two secrets are configured. Every route compares the path, and then its own proof.
	const expected = proofOf(nth(some, 0)) === 'path' ? 2 : 4
	return [
		...unless(
			[...counts.values()].every((count) => count >= expected),
			`fewer comparisons in constant time than secrets (${said})`,
		),
		...unless(new Set(counts.values()).size === 1, `another number of comparisons for each rejection (${said})`),
	]
}

/** How often Node compares in constant time meanwhile: the least of some times, because other rows may compare as well. */
async function comparisonsIn(act: () => Promise<unknown>): Promise<number> {
	const { timingSafeEqual } = nodeCrypto
	let [least, count] = [Number.POSITIVE_INFINITY, 0]
	nodeCrypto.timingSafeEqual = (one, two) => {
		count++
		return timingSafeEqual(one, two)
	}
	syncBuiltinESMExports()
	try {
		for (let tries = 0; tries < 5; tries++) {
			count = 0
			await act()
			least = Math.min(least, count)
		}
	} finally {
		nodeCrypto.timingSafeEqual = timingSafeEqual
		syncBuiltinESMExports()
	}
	return least
}

/** Calls that are rejected for one reason each. */
async function rejections(platform: Platform): Promise<{ what: string; call: Call }[]> {
	const refused = await Promise.all(
		Object.entries(others).map(async ([what, wrong]) => ({ what, call: await platform.prove(wrong) })),
	)
	const like = nth(refused, 0).call
	const path = like.path.replace(platform.name, 'n'.repeat(platform.name.length))
	return [...refused, { what: 'no such route', call: { ...like, path } }]
}

/** The secret with something about it changed, or something else of about its length. */
function guessed(random: () => number): string {
	const at = Math.floor(random() * (secret.length + 1))
	const letter = oneOf([...'abcXYZ019-_ %\0é/.'], random)
	const [before, after] = [secret.slice(0, at), secret.slice(at)]
	const noise = Array.from({ length: secret.length }, () => oneOf([...'abcdefXYZ0123'], random)).join('')
	const escaped = encodeURIComponent(encodeURIComponent(`${secret}%`))
	const guesses = [
		...[before, after, before + letter + after, before + letter + after.slice(1), secret.toLowerCase()],
		...[secret + letter, letter + secret, escaped, noise, letter],
	]
	return oneOf(guesses, random)
}

/** A gateway whose routes have this secret, and another one that is to come. */
function guarded(trial: Trial, some: readonly Platform[]): Promise<GatewayInside> {
	const routes = some.map((each) => each.route({ secrets: [{ env: 'SECRET' }, { env: 'ROTATED' }] }))
	const env = { SECRET: secret, ROTATED: rotated }
	return trial.start({ upstream: { url: 'builtin:demo' }, routes }, { as: 'inside', env })
}

/** The largest t between any two kinds of refusal, each measured in turns. */
async function timeRefusals(gateway: GatewayInside, platform: Platform, samples: number, random: () => number) {
	const calls = await rejections(platform)
	const times = new Map<string, number[]>(calls.map(({ what }) => [what, []]))
	for (let i = 0; i < samples * calls.length; i++) {
		const { what, call } = oneOf(calls, random)
		const from = process.hrtime.bigint()
		await gateway.send(call)
		times.get(what)?.push(Number(process.hrtime.bigint() - from))
	}
	let worst = { what: '', t: 0 }
	for (const [one, first] of times) {
		for (const [two, second] of times) {
			const t = one < two ? Math.abs(welch(fastest(first), fastest(second))) : 0
			if (t > worst.t) worst = { what: `${one} and ${two}`, t }
		}
	}
	return worst
}

/** The nine tenths that took least: the rest is the collector's, and the machine's. */
function fastest(times: readonly number[]): number[] {
	return times.toSorted((a, b) => a - b).slice(0, Math.floor(times.length * 0.9))
}

/** Welch's t of two samples. */
function welch(a: readonly number[], b: readonly number[]): number {
	const [one, two] = [momentsOf(a), momentsOf(b)]
	return (one.mean - two.mean) / Math.sqrt(one.variance / a.length + two.variance / b.length)
}

function momentsOf(values: readonly number[]): { mean: number; variance: number } {
	const mean = values.reduce((sum, each) => sum + each, 0) / values.length
	const variance = values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (values.length - 1)
	return { mean, variance }
}

/** Bytes that a body may have unless its platform needs more. */
const usual = 1024 * 1024

const env = { FIRST: 'the first of the secrets', SECOND: 'the second of the secrets', OTHER: 'of another route' }
const first = env.FIRST

export const guardedRoutes: Row = {
	id: 'D23',
	fault:
		'Every route is called without a secret, with a wrong one, with two, with the right one in the wrong place, with a body that is too large or not JSON, with another method',
	demand: 'each call is rejected with its own error, and none gets the upstream’s answer; no other path is served',
	async run(trial) {
		const other = own.route({ secrets: [{ env: 'OTHER' }] }, 'other')
		const guarded = platforms.map((each) => each.route({ secrets: [{ env: 'FIRST' }, { env: 'SECOND' }] }))
		const config = { upstream: { url: 'builtin:demo' }, routes: [...guarded, other] }
		const gateway = await trial.start(config, { env })
		const broken: string[] = []
		let calls = 0
		const send = (call: Call) => {
			calls++
			return gateway.send(call)
		}
		const names = ({ headers }: WireResponse) => headers.map(([name]) => name).join()
		const nowhere = await send({ path: '/no/such/path', body: '{}' })
		const hidden = async (what: string, call: Call): Promise<void> => {
			const answer = await send(call)
			const same = call.method === 'HEAD' || (answer.body === nowhere.body && names(answer) === names(nowhere))
			broken.push(...unless(same && answer.status === 404, `${what}: ${answer.status}`))
		}
		const refused = async (what: string, statuses: readonly number[], call: Call): Promise<void> => {
			const answer = await send(call)
			const typed = call.method === 'HEAD' || codeOf(answer) !== undefined
			broken.push(...unless(typed && statuses.includes(answer.status), `${what}: ${answer.status} ${codeOf(answer)}`))
		}
		for (const platform of platforms) {
			const { name, wire, adapter } = platform
			const { methods, maxBody = usual } = adapter
			for (const secret of [first, env.SECOND]) {
				const { status } = await send(await platform.prove(secret))
				broken.push(...unless(status === 200, `${name} with its secret: ${status}`))
			}
			const right = await platform.prove(first)
			// What proves some calls stands in the body: of one that is not read, nothing is proved.
			const byBody = right.body !== wire.body
			const bare: Call = { ...wire, path: `/${name}` }
			const carries = (secret: string): Call => ({ method: 'GET', path: `/-/carries/${name}${secret}` })
			const own = await send(carries(`/${encodeURIComponent(first)}`))
			broken.push(...unless(own.status === 200, `what ${name} carries, with its secret: ${own.status}`))
			for (const wrong of ['', '/', `/${first}x`, `/${env.OTHER}`, `/${first}/`]) {
				await hidden(`what ${name} carries, with "${wrong}"`, carries(wrong.replaceAll(' ', '%20')))
			}
			await hidden(`${name} without a secret`, bare)
			const wrongs = [
				...[`${first}x`, first.slice(0, -1), first.toUpperCase(), env.OTHER, ' ', '%00', '..', ''],
				...[first.slice(0, 8), first.slice(8), first + first, `${first}, ${env.SECOND}`, encodeURIComponent(first)],
			]
			for (const wrong of wrongs) await hidden(`${name} with "${wrong}"`, await platform.prove(wrong))
			for (const [one, two] of [
				[first, 'wrong'],
				['wrong', first],
				[first, ''],
				['', first],
				[first, env.SECOND],
				[first, first],
			] as const) {
				await hidden(`${name} with "${one}" and "${two}"`, await provedTwice(platform, one, two))
			}
			for (const call of misplaced(platform)) await hidden(`${name} with its secret in another place`, call)
			for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
				await hidden(`${method} ${name} without a secret`, { ...bare, method, body: '' })
				if (methods.includes(method)) continue
				await refused(`${name} by ${method}`, [byBody ? 404 : 405], { ...right, method, body: '' })
			}
			const spellings = [
				`${name}/`,
				`/${name}`,
				`./${name}`,
				`${name}%2F`,
				`${name}/.`,
				name.toUpperCase(),
				`${name};a`,
			]
			for (const spelling of spellings) await hidden(`/${spelling}`, { ...bare, path: `/${spelling}` })
			const large = 'x'.repeat(maxBody + 1)
			for (const [call, title] of [
				[bare, 'not-found'] as const,
				[right, byBody ? 'not-found' : 'body-too-large'] as const,
			]) {
				calls++
				// A caller who is refused by the declared length need not hear of it while still sending.
				const bytes = asBytes({ ...call, body: large }).slice(0, maxBody > usual ? usual : undefined)
				const { text } = await exchange(gateway.url, bytes)
				broken.push(...unless(text.includes(`"title":"${title}"`), `${name}, too large: ${text.slice(0, 400)}`))
			}
			const headers = [...(right.headers ?? []).filter(([name]) => name !== 'content-type'), ...jsonType]
			await refused(`${name}, no JSON`, byBody ? [404] : [400, 415], { ...right, body: '{"a":', headers })
		}
		const { paths } = await trial.start(config, { as: 'inside', env })
		return {
			reached: `${calls} calls to ${config.routes.length} routes, ${broken.length} not rejected as required`,
			broken: [
				...broken,
				...unless(nowhere.status === 404, `a path of no route gets ${nowhere.status}`),
				...unless(paths.join() === '/healthz,/readyz,/-/carries/*,/*', `the app knows other paths: ${paths}`),
			],
		}
	},
}

/** A call with two proofs, one behind the other, where the platform has one. */
async function provedTwice(platform: Platform, one: string, two: string): Promise<Call> {
	const { wire } = platform
	const path = `/${platform.name}`
	const [kind, field = ''] = proofOf(platform).split(':')
	switch (kind) {
		case 'query':
			return { ...wire, path, query: [...wire.query, [field, one], [field, two]] }
		case 'header':
			return { ...wire, path, headers: [...wire.headers, [field, one], [field, two]] }
		case 'body': {
			const [before, behind] = await Promise.all([one, two].map((secret) => platform.prove(secret)))
			const value = JSON.stringify(JSON.parse(`${behind?.body}`)[field])
			return { ...wire, path, body: `${before?.body}`.replace(/}\s*$/, `,"${field}":${value}}`) }
		}
		default:
			return { ...wire, path: `${path}/${encodeURIComponent(one)}/${encodeURIComponent(two)}` }
	}
}

/** Calls with the right secret in every place but the platform's own. */
function misplaced(platform: Platform): Call[] {
	const { name, wire } = platform
	const proof = proofOf(platform)
	const bare: Call = { ...wire, path: `/${name}` }
	const inQuery = ['token', 'secret', 'x-hook-secret', 'token[]', 'Token', 'access_token']
	const inHeaders = ['x-hook-secret', 'token', 'x-token', 'authorization', 'cookie', 'referer', 'x-original-url']
	const members = wire.body.startsWith('{') ? [{ token: first }, { secret: first }, { 'x-hook-secret': first }] : []
	const calls: (readonly [place: string, call: Call])[] = [
		['path', { ...bare, path: `/${name}/${encodeURIComponent(first)}` }],
		['', { ...bare, path: `/${name}/${encodeURIComponent(encodeURIComponent(first))}` }],
		['', { ...bare, path: `/${name}/${encodeURIComponent(first)}/` }],
		['', { ...bare, path: `/${encodeURIComponent(first)}/${name}` }],
		...inQuery.map((field) => [`query:${field}`, { ...bare, query: [...wire.query, [field, first]] }] as const),
		...inHeaders.map((field) => [`header:${field}`, { ...bare, headers: [...wire.headers, [field, first]] }] as const),
		...members.map((more) => ['', { ...bare, body: JSON.stringify({ ...JSON.parse(wire.body), ...more }) }] as const),
	]
	return calls.flatMap(([place, call]) => (place === proof ? [] : [call]))
}
