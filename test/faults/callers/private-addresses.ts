/** Upstreams that may be at public addresses only, and whose URLs lead elsewhere in every spelling there is. */

import { createServer, type Server } from 'node:net'
import { adapters } from '../../../adapters/index.ts'
import { ConfigError, readConfig } from '../../../src/config/index.ts'
import { asGatewayError } from '../../../src/errors.ts'
import type { Resolve } from '../../../src/node/guarded-connect.ts'
import { createSender } from '../../../src/node/undici-client.ts'
import { message } from '../../harness/http.ts'
import { ownTo } from '../../harness/platforms.ts'
import { none, type Row, type Trial, unless } from '../row.ts'
import { codeOf } from '../turns.ts'
import { someUrl, spelledUrls } from './spellings.ts'

/** Every name is this machine's. */
const resolve: Resolve = (_hostname, _options, callback) => {
	process.nextTick(callback, null, [
		{ address: '::1', family: 6 },
		{ address: '127.0.0.1', family: 4 },
	])
}

export const privateAddresses: Row = {
	id: 'D18',
	fault: 'The upstream’s URL spells a private, loopback, metadata or mapped address in one of 200 ways',
	demand: '0 connections, counted at loopback listeners; every call rejected with a typed error',
	async run(trial) {
		const { port, connections } = await listeners(trial)
		const { send, close } = createSender({ resolve })
		trial.after(() => close())
		const urls = [...new Set(spelledUrls(port))]
		for (let i = 0; i < trial.at(0, 2000, 20_000); i++) urls.push(someUrl(port, trial.random))
		const broken: string[] = []
		let mistakes = 0
		let refused = 0
		let direct = 0
		for (const url of urls) {
			if (broken.length > 9) break
			const config = ownTo({ url, backup: url, public: true })
			if (isMistake(config)) mistakes++
			else {
				const gateway = await trial.start(config, { as: 'inside', replace: () => ({ send }) })
				const answer = await gateway.send({ path: '/own', body: message('hello') })
				const code = codeOf(answer)
				if (answer.status === 502 && code === 'upstream-not-public') refused++
				else broken.push(`${url}: ${answer.status} ${code}`)
			}
			// The sender by itself, as if no configuration had been read.
			if (!URL.canParse(url)) continue
			const code = await outcomeOf(send(callTo(url, true)))
			if (code === 'upstream-not-public') direct++
			else if (/^\s*http/i.test(url)) broken.push(`${url}: the sender says ${code}`)
		}
		const unwanted = connections()

		// Without the option, those that mean this machine arrive: else the listeners would count nothing.
		const thisMachine = /^http:\/\/(?:127\.0\.0\.1|\[::ffff:7f00:1\]|[a-z.]*\.test)[:/]/
		const some = urls.filter((url) => thisMachine.test(URL.parse(url)?.href ?? '')).slice(0, 60)
		for (const url of some) await outcomeOf(send(callTo(url, false)))
		const arrived = connections() - unwanted
		const reached = `without the option ${arrived} of ${some.length} arrive`
		return {
			reached: `${unwanted} connections for ${urls.length} spellings: ${mistakes} are rejected in the configuration, ${refused} turns and ${direct} direct calls are rejected; ${reached}`,
			broken: [
				...broken,
				...none(unwanted, 'connections were made'),
				...unless(some.length >= 20 && arrived >= some.length, `nothing was proved: ${reached}`),
			],
		}
	},
}

function isMistake(config: object): boolean {
	try {
		readConfig(config, { adapters, env: {}, loopback: true })
		return false
	} catch (thrown) {
		if (thrown instanceof ConfigError) return true
		throw thrown
	}
}

function callTo(url: string, onlyPublic: boolean) {
	const signal = AbortSignal.timeout(5000)
	return { url, method: 'GET', headers: [], body: '', signal, maxBytes: 1000, onlyPublic }
}

async function outcomeOf(sent: Promise<unknown>): Promise<string> {
	return sent.then(
		() => 'an answer',
		(thrown) => asGatewayError(thrown).code,
	)
}

/** Listeners at both loopback addresses, as far as there are two, which count and hang up. */
async function listeners(trial: Trial): Promise<{ port: number; connections(): number }> {
	let count = 0
	const open = (host: string, port: number): Promise<Server | undefined> => {
		const server = createServer((socket) => {
			count++
			socket.on('error', () => {}).destroy()
		})
		trial.after(() => server.close())
		return new Promise((done) => {
			server.once('error', () => done(undefined)).listen(port, host, () => done(server))
		})
	}
	const address = (await open('127.0.0.1', 0))?.address()
	if (typeof address !== 'object' || address === null) throw new Error('nothing can listen on 127.0.0.1')
	await open('::1', address.port)
	return { port: address.port, connections: () => count }
}
