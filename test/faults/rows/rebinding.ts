/** A name that leads to public addresses when it is looked at, and to private ones when it counts. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Resolve } from '../../../src/node/guarded-connect.ts'
import { createSender } from '../../../src/node/undici-client.ts'
import { message } from '../calls.ts'
import { says } from '../echo.ts'
import { gatewayInside } from '../inside.ts'
import { oneOf, randomFrom } from '../random.ts'
import type { Row, Trial } from '../row.ts'

/** Addresses of this machine that this row takes for public ones, and those that it does not; all of them answer. */
const publics = ['127.1.0.1', '127.1.0.2', '127.1.0.3']
const privates = ['127.0.0.1', '127.2.0.1']

export const rebinding: Row = {
	id: 'D19',
	fault: 'A name is rebound: public first and private then, mixed sets, no time to live',
	demand: '0 private connections in 1,000; what is connected to is what was looked at',
	async run(trial) {
		const random = randomFrom(trial.seed)
		const connected: string[] = []
		const port = await servers(trial, connected)
		/** What the resolver said since the turn began, and what was looked at. */
		let lookups: string[][] = []
		let checked: string[] = []
		let refusals = 0
		const resolve: Resolve = (_hostname, _options, callback) => {
			const addresses = answer(random, refusals > 2)
			lookups.push(addresses)
			process.nextTick(
				callback,
				null,
				addresses.map((address) => ({ address, family: 4 })),
			)
		}
		const isPublic = (address: string): boolean => {
			checked.push(address)
			return publics.includes(address)
		}
		const sender = createSender({ resolve, isPublic })
		trial.after(() => sender.close())
		const upstream = { url: `http://rebound.test:${port}/`, public: true }
		const config = { upstream, routes: [{ name: 'own', path: '/own', platform: 'canonical' }] }
		const gateway = gatewayInside(trial, config, {}, { lend: () => ({ send: sender.send }) })

		const turns = trial.at(100, 1000, 5000)
		const broken: string[] = []
		const counts = { answered: 0, refused: 0, mixed: 0, strangers: 0 }
		for (let i = 0; i < turns && broken.length < 10; i++) {
			lookups = []
			checked = []
			connected.length = 0
			const response = await gateway.take({ path: '/own', body: message(`hello ${i}`) })
			const { title } = (await response.json()) as { title?: string }
			const [said = []] = lookups
			const allowed = said.filter((address) => publics.includes(address))
			if (lookups.length !== 1) broken.push(`turn ${i}: ${lookups.length} look-ups for a connection`)
			counts.strangers += connected.filter((address) => !publics.includes(address)).length
			const unseen = connected.filter((address) => !checked.includes(address) || !allowed.includes(address))
			if (unseen.length > 0) broken.push(`turn ${i}: connected to ${unseen}, of ${said}`)
			if (allowed.length === 0) {
				refusals++
				counts.refused++
				if (title !== 'upstream-not-public') broken.push(`turn ${i}: ${response.status} ${title} for ${said}`)
			} else {
				refusals = 0
				counts.answered++
				if (allowed.length < said.length) counts.mixed++
				if (response.status !== 200 || connected.length !== 1) broken.push(`turn ${i}: ${title} for ${said}`)
			}
		}
		if (Math.min(counts.answered, counts.refused, counts.mixed) < turns / 20) broken.push('some sets hardly came up')
		const reached = `${counts.strangers} private connections in ${turns} turns; ${counts.answered} connected to an address that was looked at (${counts.mixed} of mixed sets), ${counts.refused} refused`
		return { reached, broken }
	},
}

/** Addresses as a hostile resolver has them, another set each time. */
function answer(random: () => number, mustBePublic: boolean): string[] {
	const [open, other, inner, another] = [publics, publics, privates, privates].map((list) => oneOf(list, random))
	const sets = [
		[open],
		[inner, open],
		[open, inner],
		[inner, another, open],
		[open, inner, other],
		[inner],
		[inner, another],
	]
	const usable = mustBePublic ? sets.slice(0, 5) : sets
	return oneOf(usable, random).flatMap((address) => address ?? [])
}

/** A server at each address, all on one port, which ends each connection with its answer. */
async function servers(trial: Trial, connected: string[]): Promise<number> {
	let port = 0
	for (const host of [...publics, ...privates]) {
		const server = createServer((request, response) => {
			request.resume()
			response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end(says('Hello'))
		}).on('connection', ({ localAddress = '' }) => connected.push(localAddress))
		await new Promise<void>((listening, failed) => {
			server.once('error', failed).listen(port, host, listening)
		})
		trial.after(() => {
			server.close()
			server.closeAllConnections()
		})
		port = (server.address() as AddressInfo).port
	}
	return port
}
