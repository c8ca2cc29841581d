/** Gateways on other machines than the web server: the certificates and the two configurations of docs/deploy-node.md. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ownTo } from '../harness/platforms.ts'
import { pageAt } from '../pages.ts'
import { start } from '../servers.ts'
import { has, path } from '../tools.ts'
import { folder, freePort, listOfShared, replaced, runNginx, send, startNginx, written } from './front.ts'

const page = pageAt('docs/deploy-node.md')
const secret = 'canary-of-a-route-secret'
const body = JSON.stringify({ version: 1, event: { kind: 'message', text: 'Hi', attributes: {} } })

/** The files of the page. */
function certificates(): string {
	const tls = folder()
	const commands = page.block('certificates for gateways on other machines')
	execFileSync('sh', ['-eu', '-c', commands], { cwd: tls, env: { PATH: path }, stdio: 'ignore' })
	return tls
}

/** nginx beside the gateway at this URL: where it listens, and what it has written. */
async function beside(url: string, tls: string) {
	const [at, port] = [folder(), await freePort()]
	mkdirSync(join(at, 'logs'))
	const site = replaced(page.block('nginx beside a gateway'), [
		['listen 8443 ssl;', `listen 127.0.0.1:${port} ssl;`],
		['/etc/nginx/tls/', `${tls}/`],
		['/var/log/nginx/', `${join(at, 'logs')}/`],
		['http://127.0.0.1:8787', url],
	])
	const { said } = runNginx(at, site)
	return { url: `https://127.0.0.1:${port}`, told: () => said() + written(join(at, 'logs')) }
}

/** The status of a call of this nginx, with a certificate or without. */
function statusAt(url: string, tls: string, name: string | undefined): Promise<number | undefined> {
	const read = (file: string) => readFileSync(join(tls, file))
	const own = name === undefined ? {} : { cert: read(`${name}.pem`), key: read(`${name}.key`) }
	return new Promise((done) => {
		const options = { ...own, method: 'GET', ca: read('ca.pem'), servername: 'gateway.internal', agent: false }
		request(`${url}/healthz`, options, (answer) => done(answer.resume().statusCode))
			.on('error', () => done(undefined))
			.end()
	})
}

test.skipIf(!has('nginx') || !has('openssl'))(
	'by TLS, calls reach gateways on other machines; one that is gone costs few of them; nothing else is let in',
	async () => {
		const config = ownTo('builtin:demo', { secrets: [{ env: 'SECRET' }] })
		const gateways = [
			await start(config, { env: { SECRET: secret } }),
			await start(config, { env: { SECRET: secret } }),
		]
		const tls = certificates()
		const near = await Promise.all(gateways.map(({ url }) => beside(url, tls)))
		for (const { url } of near) await expect.poll(() => statusAt(url, tls, 'front')).toBe(200)
		expect(await statusAt(near[0]?.url ?? '', tls, undefined)).toBe(400)

		const how = replaced(page.block('the web server of gateways on other machines'), [['/etc/nginx/tls/', `${tls}/`]])
		const list = listOfShared(
			'shared',
			near.map(({ url }) => url),
		)
		const front = await startNginx(list, how)
		const call = async () => (await send({ ...front, path: `/own/${secret}`, body })).status
		for (let n = 0; n < 20; n++) expect(await call()).toBe(200)
		for (const { lines } of gateways) expect(lines.some(({ msg }) => msg === 'turn')).toBe(true)

		await gateways[0]?.end('SIGKILL')
		const statuses: number[] = []
		for (let n = 0; n < 20; n++) statuses.push(await call())
		const failed = statuses.filter((status) => status !== 200)
		expect(failed.every((status) => status === 502)).toBe(true)
		// Once in five seconds.
		expect(failed.length).toBeLessThanOrEqual(2)

		const stranger = await startNginx(list, how.replaceAll(tls, certificates()))
		expect((await send({ ...stranger, path: `/own/${secret}`, body })).status).toBe(502)
		for (const { told } of [...near, front, stranger]) expect(told()).not.toContain('canary')
	},
	120_000,
)
