/** `dragoman check`, as before a deployment. */
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { dragoman } from '../harness/command.ts'
import { nobody, upstream } from '../servers.ts'
import { folderWith, inside } from './run.ts'

function fileWith(config: unknown, more: { readonly [path: string]: unknown } = {}): string {
	const { path, remove } = folderWith({ 'gateway.json': config, ...more })
	onTestFinished(remove)
	return join(path, 'gateway.json')
}

const route = { name: 'own', path: '/own', platform: 'canonical' }

test('all mistakes are found in one pass, with advice for secrets that are not set', async () => {
	const file = fileWith({ upstream: { url: 'x' }, routes: [{ ...route, colour: 1, secrets: [{ env: 'GONE' }] }] })
	const { code, out, err } = await dragoman(['check', '--config', file])
	expect([code, out]).toEqual([78, ''])
	expect(err).toBe(`The configuration ${file} has 3 mistakes.
  upstream.url: must be an absolute http or https URL, or "builtin:demo"
  routes[0].colour: no such key
  routes[0].secrets[0].env: the environment variable GONE is not set
Set the missing variables in the environment, or in ${file.replace('gateway.json', '.env')}.
`)
	const json = await inside(['check', '--json', '--config', file])
	expect(json.code).toBe(78)
	expect(JSON.parse(json.out).mistakes).toHaveLength(3)
})

test('backends are connected to, and not called', async () => {
	const backend = await upstream()
	const file = fileWith(
		{ upstream: { url: `${backend.url}/secret-path?token=1` }, routes: [{ ...route, secrets: [{ env: 'SHORT' }] }] },
		{ '.env': 'SHORT=brief' },
	)
	const { code, out } = await inside(['check', '--config', file])
	expect(code).toBe(0)
	expect(out).toMatch(RegExp(`^ok +${file}: 1 route, no mistakes\n`))
	expect(out).toContain('warning  routes[0].secrets[0].env: the secret has fewer than 16 characters\n')
	expect(out).toMatch(RegExp(`\nok +${backend.url}: reached in \\d+ ms\n$`))
	expect(backend.calls).toHaveLength(0)
})

test('a backend that cannot be reached is named with its routes', async () => {
	const gone = await nobody()
	const file = fileWith({ upstream: { url: gone, timeout: 50 }, routes: [route, { ...route, name: 'b', path: '/b' }] })
	const { code, out } = await inside(['check', '--config', file])
	expect(code).toBe(69)
	expect(out).toMatch(/failed +http:\S+: cannot be reached \(ECONNREFUSED\), for own, b\. Start the backend/)
	const json = await inside(['check', '--json', '--config', file])
	expect(JSON.parse(json.out)).toMatchObject({
		routes: 2,
		upstreams: [{ origin: gone, routes: ['own', 'b'], error: 'ECONNREFUSED' }],
	})
})
