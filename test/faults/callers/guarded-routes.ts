/** No route is unprotected: each route of a configuration is called without its secret, and with calls that it must reject. */

import type { WireResponse } from '../../../src/format/index.ts'
import { type Call, jsonType } from '../../harness/http.ts'
import { own, platforms } from '../../harness/platforms.ts'
import { asBytes, exchange } from '../../harness/sockets.ts'
import { type Row, unless } from '../row.ts'
import { codeOf } from '../turns.ts'

/** Bytes that a body may have unless its platform needs more. */
const usual = 1024 * 1024

const env = { FIRST: 'the first of the secrets', SECOND: 'the second of the secrets', OTHER: 'of another route' }
const first = env.FIRST

export const guardedRoutes: Row = {
	id: 'D23',
	fault:
		'Every route is called without a secret, with a wrong one, with a body that is too large or not JSON, with another method',
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
			await hidden(`${name} without a secret`, bare)
			const wrongs = [`${first}x`, first.slice(0, -1), first.toUpperCase(), env.OTHER, ' ', '%00', '..']
			for (const wrong of wrongs) await hidden(`${name} with "${wrong}"`, await platform.prove(wrong))
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
				...unless(paths.join() === '/healthz,/readyz,/-/carries/:route,/*', `the app knows other paths: ${paths}`),
			],
		}
	},
}
