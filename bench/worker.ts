/** P7: the gateway as a Worker, beside the smallest Worker that does the work. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import * as v from 'valibot'
import { partsOf } from '../scripts/check-worker-config.ts'
import { bundleWorker, quiet } from '../scripts/worker-bundle.ts'
import { starter } from '../test/harness/gateway.ts'
import { send } from '../test/harness/http.ts'
import { folder } from '../test/harness/scope.ts'
import { type Spread, spreadOf } from './compare.ts'
import { openConnections, requestOf } from './connections.ts'
import { type Experiment, round, type Trial } from './experiment.ts'
import { configOf } from './peers.ts'
import { cpuOf, inSlices, type Subject } from './slices.ts'
import { spread, startUpstream } from './turns.ts'
import { call, event, route, secrets, target } from './work.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The configuration of the bundle that is measured. */
const onePlatform = join(root, 'config/one-platform.json')

/** Starts of the module. */
const starts = 9

/** Logs each call of the Durable Object. */
const counting = `
	import worker, { Conversation as Base } from './bundle.js'
	const methods = ['begin', 'beginNext', 'settle', 'addLateReply', 'takeLateReplies', 'enqueue']
	export class Conversation extends Base {}
	for (const did of methods) {
		Conversation.prototype[did] = function (...args) {
			console.log(JSON.stringify({ level: 'info', msg: 'round trip', did }))
			return Base.prototype[did].apply(this, args)
		}
	}
	export default worker
`

export const worker: Experiment = {
	...{ id: 'P7', title: 'On Workers' },
	async run(trial) {
		const upstream = await startUpstream(trial)
		const hook = `${upstream.url}/hook`
		const { bytes, start } = await bundle(trial)
		const trips = await roundTrips(trial, hook)

		const before = workerds()
		const gateway = await starter(trial)(configOf(hook), { as: 'worker', env: secrets })
		const gatewayPid = newest(before)
		const peer = await startPeer(trial, hook)
		const peerPid = newest([...before, gatewayPid])
		const taken = await inSlices(
			[await subjectOf(trial, 'gateway', gatewayPid, gateway.url), await subjectOf(trial, 'hono', peerPid, peer)],
			slices,
		)
		const cpuOfTurn = (id: string): Spread => taken.get(id) ?? spreadOf([])
		const ratio = cpuOfTurn('gateway').median / cpuOfTurn('hono').median
		return {
			head: ['', 'The gateway', 'Hono and `fetch`'],
			rows: [
				['CPU a turn in workerd, µs', spread(cpuOfTurn('gateway')), spread(cpuOfTurn('hono'))],
				['the same, against Hono and `fetch`', `${round(ratio)} ×`, ''],
				['Bundle with one platform, compressed, kB', round(bytes / 1000), ''],
				['Start of the module, ms', spread(start), ''],
				...trips.map(({ of, did }) => [`Calls of the Durable Object: ${of}`, `${did.length}: ${did.join(', ')}`, '']),
			],
			figures: {
				'round trips': trips[0]?.did.length ?? Number.NaN,
				'round trips, nothing to remember': trips[1]?.did.length ?? Number.NaN,
				'workerd cpu': cpuOfTurn('gateway').median,
			},
			targets: [
				{ what: 'bundle with one platform', reached: bytes / 1000, bound: 'most', limit: 80, unit: 'kB' },
				{ what: 'start of the module', reached: start.median, bound: 'most', limit: 20, unit: 'ms' },
				...trips.map(({ of, did, most }) => ({
					what: `calls of the Durable Object: ${of}`,
					reached: did.length,
					...{ bound: 'most' as const, limit: most, unit: '' },
				})),
			],
		}
	},
}

/** Turns of one of the two at a time, and how often. */
const turns = 200
const slices = { warm: 15, measured: 30 }

/** Conversations at the same time, of ten turns each: each has a Durable Object of its own. */
const conversations = 50

/** One that runs in workerd. Its calls never repeat an event id. */
async function subjectOf(trial: Trial, id: string, pid: number, url: string): Promise<Subject> {
	const sockets = await openConnections(trial, url, 32)
	let calls = 0
	const callAfterOthers = (): Buffer => {
		const before = calls++
		const conversation = (before % conversations) + Math.floor(before / (10 * conversations)) * conversations
		const body = call
			.replace('{{id}}', `event-${before}`)
			.replaceAll('{{conversation}}', `conversation-${conversation}`)
		return requestOf(target, body)
	}
	return { id, take: () => cpuOf(pid, sockets, Array.from({ length: turns }, callAfterOthers)) }
}

/** The bundle's size in bytes, compressed, and the milliseconds of CPU that its module takes to start. */
async function bundle(trial: Trial) {
	const home = folder(trial)
	const { gzip } = await bundleWorker(home, onePlatform, await partsOf(onePlatform))
	const milliseconds: number[] = []
	for (let n = 0; n < starts; n++) {
		const script = join(root, 'scripts/worker-start.ts')
		const { stdout } = await promisify(execFile)(process.execPath, [script, join(home, 'index.js')])
		milliseconds.push(v.parse(v.object({ start: v.number() }), JSON.parse(stdout)).start)
	}
	return { bytes: gzip, start: spreadOf(milliseconds) }
}

/** Which methods of the Durable Object one turn calls. */
async function roundTrips(trial: Trial, hook: string) {
	const open = { name: 'open', path: '/open', platform: 'canonical', open: true }
	const config = { ...configOf(hook), routes: [route, open] }
	const { url, lines, send: ask } = await starter(trial)(config, { as: 'worker', env: secrets, front: counting })
	const nameless = JSON.parse(event)
	delete nameless.event.id
	delete nameless.event.text
	const turns = [
		{ of: 'a message', path: target, body: call, most: 2 },
		{ of: 'an event without an id, without words', path: '/open', body: JSON.stringify(nameless), most: 1 },
	]
	const trips: { readonly of: string; readonly most: number; readonly did: readonly string[] }[] = []
	for (const { of, path, body, most } of turns) {
		const from = lines.length
		const { status } = await ask({ path, body })
		if (status !== 200) throw new Error(`${url} answers ${status}`)
		// The line of the turn is its last.
		while (!lines.slice(from).some(({ msg }) => msg === 'turn')) await new Promise((resume) => setTimeout(resume, 20))
		const did = lines.slice(from).flatMap((line) => (line.msg === 'round trip' ? String(line.did) : []))
		trips.push({ of, most, did })
	}
	return trips
}

async function startPeer(trial: Trial, hook: string): Promise<string> {
	const home = folder(trial)
	const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js')
	const config = join(root, 'bench/peers/wrangler.toml')
	const args = [wrangler, 'deploy', '--config', config, '--dry-run', '--minify', '--outdir', home]
	await promisify(execFile)(process.execPath, args, { cwd: root, env: { ...process.env, ...quiet } })
	const miniflare = new Miniflare(
		convertV4MiniflareOptions({
			modules: [{ type: 'ESModule', path: 'worker.js', contents: readFileSync(join(home, 'worker.js'), 'utf8') }],
			compatibilityDate: '2026-10-23',
			bindings: { UPSTREAM: hook },
			...{ cf: false, host: '127.0.0.1', port: 0, log: new Log(LogLevel.NONE) },
		}),
	)
	trial.after(() => miniflare.dispose())
	const { origin } = await miniflare.ready
	const { status } = await send(origin, { path: target, body: call })
	if (status !== 200) throw new Error(`the smallest Worker answers ${status}`)
	return origin
}

/** The processes of workerd that we have started. */
function workerds(): number[] {
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.map(Number)
		.filter((pid) => {
			try {
				const [, name = '', parent = ''] =
					/^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
				return name === 'workerd' && Number(parent) === process.pid
			} catch {
				// It has ended meanwhile.
				return false
			}
		})
}

function newest(others: readonly number[]): number {
	const [pid] = workerds().filter((each) => !others.includes(each))
	if (pid === undefined) throw new Error('workerd does not run')
	return pid
}
