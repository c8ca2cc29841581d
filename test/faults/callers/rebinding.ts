/** A name that leads to public addresses when it is looked at, and to private ones when it counts. */

import type { Resolve } from '../../../src/node/guarded-connect.ts'
import { createSender } from '../../../src/node/undici-client.ts'
import { json, message, says } from '../../harness/http.ts'
import { ownTo } from '../../harness/platforms.ts'
import { oneOf } from '../../harness/random.ts'
import { bytesOf, type Script, startUpstream, type Upstream } from '../../harness/upstream.ts'
import { none, type Row, unless } from '../row.ts'
import { codeOf, countEach } from '../turns.ts'

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
			const server = await startUpstream(trial, reply, { host, port })
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
