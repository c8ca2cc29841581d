/** Upstreams that may be at public addresses only, and whose URLs and names lead elsewhere. */

import { createServer, type Server } from 'node:net'
import { adapters } from '../../../adapters/index.ts'
import { ConfigError, readConfig } from '../../../src/config/index.ts'
import { asGatewayError } from '../../../src/errors.ts'
import type { Resolve } from '../../../src/node/guarded-connect.ts'
import { createSender } from '../../../src/node/undici-client.ts'
import { json, message, says } from '../../harness/http.ts'
import { ownTo } from '../../harness/platforms.ts'
import { oneOf } from '../../harness/random.ts'
import { bytesOf, type Script, type Upstream } from '../../harness/upstream.ts'
import { none, type Row, type Trial, unless } from '../row.ts'
import { codeOf, countEach } from '../turns.ts'
import { someUrl, spelledUrls } from './spellings.ts'

/** Every name is this machine's. */
const toThisMachine: Resolve = (_hostname, _options, callback) => {
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
		const { send, close } = createSender({ resolve: toThisMachine })
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
	return {
		url,
		method: 'GET',
		headers: [],
		body: '',
		timeout: 5000,
		reads: 'reply' as const,
		maxBytes: 1000,
		onlyPublic,
	}
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

/** Addresses of this machine that this row takes for public ones, and those that it does not; all of them answer. */
const publics = ['127.1.0.1', '127.1.0.2', '127.1.0.3']
const privates = ['127.0.0.1', '127.2.0.1']

export const rebinding: Row = {
	id: 'D19',
	fault: 'DNS rebinding: first public and then private, mixed sets, no TTL',
	demand: '0 private connections in 1,000; the address that is connected to is the one that was checked',
	async run(trial) {
		const { random } = trial
		const servers = new Map<string, Upstream>()
		let port = 0
		for (const host of [...publics, ...privates]) {
			// Each connection ends with its answer.
			const reply: Script = async (_, connection) => {
				await connection.write(bytesOf(json(says('Hello'), 200, [['connection', 'close']])))
				connection.socket.end()
			}
			const server = await trial.upstream(reply, { host, port })
			port = Number(new URL(server.url).port)
			servers.set(host, server)
		}
		/** The address of each connection so far. */
		const connections = () => [...servers].flatMap(([host, server]) => Array<string>(server.connections).fill(host))
		/** What the resolver said since the turn began, and what was looked at. */
		let lookups: string[][] = []
		let checked: string[] = []
		let refusals = 0
		const resolve: Resolve = (_hostname, _options, callback) => {
			const addresses = addressesOf(random, refusals > 2)
			lookups.push(addresses)
			const found = addresses.map((address) => ({ address, family: 4 }))
			process.nextTick(callback, null, found)
		}
		const isPublic = (address: string): boolean => {
			checked.push(address)
			return publics.includes(address)
		}
		const sender = createSender({ resolve, isPublic })
		trial.after(() => sender.close())
		const config = ownTo({ url: `http://rebound.test:${port}/`, public: true })
		const gateway = await trial.start(config, { as: 'inside', replace: () => ({ send: sender.send }) })

		const turns = trial.at(100, 1000, 5000)
		const broken: string[] = []
		const counts = { answered: 0, refused: 0, mixed: 0 }
		for (let i = 0; i < turns && broken.length < 10; i++) {
			lookups = []
			checked = []
			const before = countEach(connections())
			const answer = await gateway.send({ path: '/own', body: message(`hello ${i}`) })
			const connected = [...countEach(connections())].flatMap(([host, count]) =>
				Array<string>(count - (before.get(host) ?? 0)).fill(host),
			)
			const code = answer.status === 200 ? '' : codeOf(answer)
			const [said = []] = lookups
			const allowed = said.filter((address) => publics.includes(address))
			const unseen = connected.filter((address) => !checked.includes(address) || !allowed.includes(address))
			const right = allowed.length === 0 ? code === 'upstream-not-public' : code === '' && connected.length === 1
			broken.push(
				...unless(lookups.length === 1, `turn ${i}: ${lookups.length} look-ups for a connection`),
				...unless(unseen.length === 0, `turn ${i}: connected to ${unseen}, of ${said}`),
				...unless(right, `turn ${i}: ${answer.status} ${code} for ${said}`),
			)
			refusals = allowed.length === 0 ? refusals + 1 : 0
			if (allowed.length === 0) counts.refused++
			else counts.answered++
			if (allowed.length > 0 && allowed.length < said.length) counts.mixed++
		}
		const { answered, refused, mixed } = counts
		const strangers = connections().filter((address) => !publics.includes(address)).length
		return {
			reached: `${strangers} private connections in ${turns} turns; ${answered} connected to a checked address (${mixed} of mixed sets), ${refused} rejected`,
			broken: [
				...broken,
				...none(strangers, 'private connections'),
				...unless(Math.min(answered, refused, mixed) >= turns / 20, 'some sets hardly came up'),
			],
		}
	},
}

/** Addresses as a hostile resolver has them, another set each time. */
function addressesOf(random: () => number, mustBePublic: boolean): string[] {
	const [open, other] = [oneOf(publics, random), oneOf(publics, random)]
	const [inner, another] = [oneOf(privates, random), oneOf(privates, random)]
	const usable = [[open], [inner, open], [open, inner], [inner, another, open], [open, inner, other]]
	return oneOf(mustBePublic ? usable : [...usable, [inner], [inner, another]], random)
}
