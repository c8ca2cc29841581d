/** No route is left unguarded: each of a configuration is tried without its secret, and with calls that it must refuse. */
import { errors } from '../../../src/errors.ts'
import { type Sent, send } from '../../runtime/http.ts'
import { callOf, platforms, routeOf } from '../calls.ts'
import { startGateway } from '../gateway.ts'
import { gatewayInside } from '../inside.ts'
import type { Row } from '../row.ts'
import { asBytes, exchange } from '../sockets.ts'

/** Bytes that a body may have unless its platform needs more. */
const usual = 1024 * 1024

const env = { FIRST: 'the first of the secrets', SECOND: 'the second of the secrets', OTHER: 'of another route' }

export const guardedRoutes: Row = {
	id: 'D23',
	fault: 'Every route is called without a secret, with a wrong one, too large, with no JSON, with another method',
	demand: 'each gives the refusal of its kind, and nothing the upstream’s answer; nothing else is served',
	async run(trial) {
		const other = { name: 'other', path: '/other', platform: 'canonical', secrets: [{ env: 'OTHER' }] }
		const guarded = platforms.map((each) => routeOf(each, { secrets: [{ env: 'FIRST' }, { env: 'SECOND' }] }))
		const config = { upstream: { url: 'builtin:demo' }, routes: [...guarded, other] }
		const gateway = await startGateway(trial, config, { env })
		const broken: string[] = []
		let calls = 0

		const take = async (sent: Sent) => {
			calls++
			return send(gateway.url, sent)
		}
		const nowhere = await take({ path: '/no/such/path', body: '{}' })
		if (nowhere.status !== 404) broken.push(`a path of no route gets ${nowhere.status}`)
		const hidden = async (what: string, sent: Sent): Promise<void> => {
			const { status, headers, body } = await take(sent)
			const same = status === 404 && (sent.method === 'HEAD' || body === nowhere.body)
			const names = (fields: typeof headers) => fields.map(([name]) => name).join()
			if (!same || (sent.method !== 'HEAD' && names(headers) !== names(nowhere.headers)))
				broken.push(`${what}: ${status}`)
		}
		const refused = async (what: string, statuses: readonly number[], sent: Sent): Promise<void> => {
			const got = await take(sent)
			const { title } = JSON.parse(got.body || '{}')
			if (!statuses.includes(got.status) || !Object.hasOwn(errors, title))
				broken.push(`${what}: ${got.status} ${title}`)
		}
		for (const platform of platforms) {
			const { name, wire, factory, options } = platform
			const { methods, maxBody = usual } = factory.create(options)
			for (const secret of [env.FIRST, env.SECOND]) {
				const { status } = await take(await callOf(platform, wire, secret))
				if (status !== 200) broken.push(`${name} with its secret: ${status}`)
			}
			const right = await callOf(platform, wire, env.FIRST)
			const none = await callOf(platform, wire)
			await hidden(`${name} without a secret`, none)
			for (const wrong of [
				`${env.FIRST}x`,
				env.FIRST.slice(0, -1),
				env.FIRST.toUpperCase(),
				env.OTHER,
				' ',
				'%00',
				'..',
			]) {
				await hidden(`${name} with "${wrong}"`, await callOf(platform, wire, wrong))
			}
			for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
				await hidden(`${method} ${name} without a secret`, { ...none, method, body: '' })
				if (!methods.includes(method)) {
					const sent = { ...right, method, body: '' }
					if (method === 'HEAD') {
						if ((await take(sent)).status !== 405) broken.push(`${name} takes HEAD`)
					} else await refused(`${name} by ${method}`, [405], sent)
				}
			}
			for (const spelling of [
				`${name}/`,
				`/${name}`,
				`./${name}`,
				`${name}%2F`,
				`${name}/.`,
				name.toUpperCase(),
				`${name};a`,
			]) {
				await hidden(`/${spelling}`, { ...none, path: `/${spelling}` })
			}
			// What proves some calls stands in the body: of one that is not read, nothing is proved.
			const large = 'x'.repeat(maxBody + 1)
			for (const [sent, title] of [
				[none, 'not-found'],
				[right, 'body-too-large'],
			] as const) {
				calls++
				// Who is refused by the length that was declared need not hear of it while still sending.
				const bytes = asBytes({ ...sent, body: large }).slice(0, maxBody > usual ? usual : undefined)
				const { text } = await exchange(gateway.url, bytes)
				if (!text.includes(`"title":"${title}"`)) broken.push(`${name}, too large: ${text.slice(0, 400)}`)
			}
			await refused(`${name}, no JSON`, [400, 415], {
				...right,
				body: '{"a":',
				headers: [['content-type', 'application/json']],
			})
		}
		const own = gatewayInside(trial, config, env).paths
		if (own.join() !== '/healthz,/readyz,/-/carries/:route,/*') broken.push(`the app knows other paths: ${own.join()}`)
		return {
			reached: `${calls} calls to ${config.routes.length} routes, ${broken.length} not refused as they should be`,
			broken,
		}
	},
}
