/** Starts the gateway with `npm start` and the example configuration, and calls each route as its platforms do. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { adapters } from '../adapters/index.ts'
import { readConfig } from '../src/config/index.ts'
import type { NamedAdapter, WireRequest } from '../src/format/index.ts'
import { createRuntime } from '../src/node/node-runtime.ts'
import { renderReply, simulate } from '../src/simulator/index.ts'
import { demo, upstreamUrl } from '../src/upstream/index.ts'
import { readFixtures } from '../test/fixtures.ts'

const root = new URL('..', import.meta.url)
const config = JSON.parse(readFileSync(new URL('config/gateway.json', root), 'utf8'))
const { routes } = readConfig(config, { adapters, env: {}, loopback: true, demo })
const runtime = createRuntime(() => {})

/** Milliseconds that the gateway may take to start, to answer a call and to end. */
const maxWait = 15_000

const { DRAGOMAN_CONFIG: _config, HOST: _host, ...env } = process.env
const gateway = spawn('npm', ['start'], {
	cwd: root,
	env: { ...env, PORT: '0' },
	stdio: ['ignore', 'inherit', 'pipe'],
})
const ended = new Promise<number | null>((resolve) => gateway.once('close', resolve))
try {
	const url = await listeningUrl()
	for (const { path, platforms } of routes) {
		for (const platform of platforms) {
			await sayHello(`${url}${path}`, platform)
			await sendFixtures(`${url}${path}`, platform)
		}
	}
} finally {
	gateway.kill('SIGTERM')
	await runtime.close()
}
const code = await Promise.race([ended, rejectLater('the gateway did not end')])
if (code !== 0) throw new Error(`the gateway ended with exit code ${code}`)
process.exit()

/** The demo upstream repeats the user's words, so that the platform must show them. */
async function sayHello(url: string, { name, adapter }: NamedAdapter): Promise<void> {
	const { reply } = await simulate(adapter, { ...runtime, url, text: 'hello' })
	const shown = reply ? renderReply(reply) : '(reads no answer)'
	console.log(`${name}: ${shown}`)
	if (reply && !shown.includes('You said: hello')) throw new Error(`${name} does not show the reply`)
}

/** The pinned payloads show that the simulator's calls are not merely what the adapter itself writes. */
async function sendFixtures(url: string, { name, adapter }: NamedAdapter): Promise<void> {
	const { event } = readFixtures(new URL(`adapters/${name}/fixtures/`, root))
	for (const { name: file, options, wire, canonical } of event) {
		if (options !== undefined) continue
		const { status, body, headers } = await send(url, wire)
		if (status > 299) throw new Error(`${name}, ${file}: status ${status}: ${body}`)
		adapter.reply(canonical)?.decode({ status, headers, body })
	}
}

function send(url: string, { query, ...call }: WireRequest) {
	return runtime.send({
		...call,
		url: upstreamUrl(url, query, undefined),
		timeout: maxWait,
		reads: 'reply',
		maxBytes: 1_000_000,
		onlyPublic: false,
	})
}

async function listeningUrl(): Promise<string> {
	const found = Promise.withResolvers<string>()
	createInterface(gateway.stderr).on('line', (line) => {
		console.error(line)
		const url = /^Listening on (\S+)$/.exec(line)?.[1]
		if (url) found.resolve(url)
	})
	const failed = ended.then((code) => Promise.reject(new Error(`the gateway ended with exit code ${code}`)))
	return await Promise.race([found.promise, failed, rejectLater('the gateway does not listen')])
}

function rejectLater(message: string): Promise<never> {
	return new Promise((_, reject) => setTimeout(() => reject(new Error(message)), maxWait).unref())
}
