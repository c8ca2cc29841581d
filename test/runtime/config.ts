/** The configuration of the runtime suite: a route for each thing that can happen, whatever the adapters are. */
import { readFileSync } from 'node:fs'
import { withApi } from '../harness/platforms.ts'
import { samples } from './samples.ts'
import { faultNames } from './upstream.ts'

/** Secrets by the names that the configuration has for them. */
export const env = {
	FIRST_SECRET: 'the first of two secrets',
	SECOND_SECRET: 'the second of two secrets',
	KEY: `whsec_${btoa('0123456789abcdef0123456789abcdef')}`,
	SEAL: btoa('fedcba9876543210fedcba9876543210'),
}

const secrets = [{ env: 'FIRST_SECRET' }, { env: 'SECOND_SECRET' }]
const publicUrl = 'https://gateway.example/in/front'

interface Example {
	readonly routes: readonly { readonly name: string; readonly path: string; readonly platform: string | string[] }[]
}

/** The routes of the example that `npm start` and `npm run dev:worker` run. */
export const example: Example = JSON.parse(readFileSync(new URL('../../config/gateway.json', import.meta.url), 'utf8'))

/** A gateway whose upstreams are at that URL. */
export function suiteConfig(upstream: string): object {
	const own = (name: string, more: object = {}) => ({
		name,
		path: `/${name}`,
		platform: 'canonical',
		open: true,
		...more,
	})
	const to = (path: string, more: object = {}) => ({ upstream: { url: `${upstream}${path}`, timeout: 8000, ...more } })
	const failure = {
		'*': { messages: [{ type: 'text', text: 'Sorry.' }] },
		de: { messages: [{ type: 'text', text: 'Schade.' }] },
	}
	const late = { after: 300, reply: { messages: [{ type: 'text', text: 'One moment.' }] }, answer: 'push' }
	return {
		...to('/echo'),
		replyUrl: { keys: [{ env: 'SEAL' }] },
		routes: [
			...example.routes.map((route) => ({ ...route, open: true, debug: true })),
			...samples.flatMap(({ factory: { name }, events, badEvents, replies }) => [
				...[...events, ...badEvents].map((sample) =>
					own(sample.name, { platform: name, debug: true, ...options(sample.options) }),
				),
				...events.slice(0, 1).map((sample) => ({
					...own(`secret-${name}`, { platform: name, secrets, ...options(sample.options) }),
					open: undefined,
				})),
				...events
					.slice(0, 1)
					.map((sample) => own(`strict-${name}`, { platform: name, policy: 'strict', ...options(sample.options) })),
				...events
					.slice(0, 1)
					.map((sample) =>
						own(`failing-${name}`, { platform: name, failure, ...options(sample.options), ...to('/500') }),
					),
				...replies.map((sample) =>
					own(sample.name, {
						debug: true,
						...to(`/wire/${sample.name}`, { adapter: name, ...options(sample.options) }),
					}),
				),
			]),
			...faultNames.map((name) => own(`up-${name}`, to(`/${name}`, name === 'slow' ? { timeout: 300 } : {}))),
			own('up-nobody', { upstream: { url: 'http://127.0.0.1:9/' } }),
			own('echo', { debug: true }),
			own('count', { debug: true, ...to('/count') }),
			own('fail-first', to('/fail-first')),
			own('replied', { publicUrl }),
			own('raw', { raw: true }),
			withApi(`${upstream}/api`, true).route({ open: true, publicUrl, ...to('/several') }, 'pushed'),
			withApi(`${upstream}/api`, false).route({ open: true, late, ...to('/late') }, 'late'),
			own('signed', to('/echo?a=b', { sign: [{ env: 'KEY' }], headers: { 'x-team': 'bots' } })),
		],
	}
}

function options(given: unknown): object {
	return given === undefined ? {} : { options: given }
}
