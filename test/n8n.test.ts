/** The workflow for n8n: its parts fit together, and its code serves platforms behind a gateway that signs. */
import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseEnv } from 'node:util'
import { runInNewContext } from 'node:vm'
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { BackendReply } from '../src/model/index.ts'
import { dragoman } from './harness/command.ts'
import { pageAt } from './pages.ts'
import { gateway } from './servers.ts'

const { block } = pageAt('docs/n8n.md')

// An item of n8n: its values, and the raw body that the Webhook node keeps beside them.
const Json = v.record(v.string(), v.unknown())
const Target = v.strictObject({ node: v.string(), type: v.literal('main'), index: v.literal(0) })
const Node = v.looseObject({
	id: v.pipe(v.string(), v.uuid()),
	name: v.string(),
	type: v.string(),
	typeVersion: v.number(),
	position: v.tuple([v.number(), v.number()]),
	parameters: Json,
})
const Workflow = v.looseObject({
	name: v.string(),
	nodes: v.array(Node),
	connections: v.record(v.string(), v.strictObject({ main: v.array(v.array(Target)) })),
	active: v.literal(false),
	settings: v.strictObject({ executionOrder: v.literal('v1') }),
})
type Node = v.InferOutput<typeof Node>
type Item = v.InferOutput<typeof Json>

const file = readFileSync(new URL('../examples/n8n/dragoman-backend.json', import.meta.url), 'utf8')
const workflow = v.parse(Workflow, JSON.parse(file))

// As in n8n-nodes-base 2.41.2, dist/types/nodes.json.
const versions: { readonly [type: string]: readonly number[] } = {
	'n8n-nodes-base.webhook': [1, 1.1, 2, 2.1],
	'n8n-nodes-base.code': [1, 2],
	'n8n-nodes-base.crypto': [2],
	'n8n-nodes-base.if': [2, 2.1, 2.2, 2.3],
	'n8n-nodes-base.respondToWebhook': [1, 1.1, 1.2, 1.3, 1.4, 1.5],
}

function named(name: string): Node {
	const found = workflow.nodes.filter((node) => node.name === name)
	if (!found[0] || found.length > 1) throw new Error(`the workflow has ${found.length} nodes of the name "${name}"`)
	return found[0]
}

test('its nodes are of known types and versions, and each but the first is connected', () => {
	for (const { type, typeVersion } of workflow.nodes) expect(versions[type]).toContain(typeVersion)
	expect(new Set(workflow.nodes.map(({ id }) => id)).size).toBe(workflow.nodes.length)
	for (const from of Object.keys(workflow.connections)) named(from)
	const targets = Object.values(workflow.connections).flatMap(({ main }) =>
		main.flat().map(({ node }) => named(node).name),
	)
	const [first, ...others] = workflow.nodes
	expect([first?.type, targets.toSorted()]).toEqual([
		'n8n-nodes-base.webhook',
		others.map(({ name }) => name).toSorted(),
	])
})

/** The value of a parameter that may be an expression of n8n. */
function evaluated(parameter: unknown, $json: Item): unknown {
	const [, expression] = /^=\{\{(.*)\}\}$/s.exec(String(parameter)) ?? []
	return expression === undefined ? parameter : runInNewContext(expression, { $json })
}

interface Answer {
	readonly status: number
	readonly body?: unknown
}

/** What the workflow answers to a call, with this secret in its credential. */
async function answered(headers: Item, raw: string, secret: string): Promise<Answer> {
	let node = named('Gateway calls')
	let json: Item = { headers, params: {}, query: {}, body: {} }
	for (;;) {
		const { parameters, type } = node
		let output = 0
		if (type === 'n8n-nodes-base.code') {
			// As n8n runs it: in a context of its own, where neither Node's modules nor its process are.
			const helpers = { getBinaryDataBuffer: async () => Buffer.from(raw) }
			const context = { $input: { first: () => ({ json }) }, self: { helpers } }
			const items = await runInNewContext(`(async function () {${parameters.jsCode}\n}).call(self)`, context)
			json = v.parse(v.tuple([v.strictObject({ json: Json })]), JSON.parse(JSON.stringify(items)))[0].json
		} else if (type === 'n8n-nodes-base.crypto') {
			const { action, type, encoding, value, dataPropertyName } = parameters
			expect([action, type, encoding]).toEqual(['hmac', 'SHA256', 'base64'])
			const signature = createHmac('SHA256', secret)
				.update(String(evaluated(value, json)))
				.digest('base64')
			json = { ...json, [String(dataPropertyName)]: signature }
		} else if (type === 'n8n-nodes-base.if') {
			const condition = JSON.parse(JSON.stringify(parameters.conditions)).conditions[0]
			expect(condition.operator).toMatchObject({ type: 'boolean', operation: 'true' })
			output = evaluated(condition.leftValue, json) === true ? 0 : 1
		} else if (type === 'n8n-nodes-base.respondToWebhook') {
			const { responseCode = 200 } = v.parse(v.object({ responseCode: v.optional(v.number()) }), parameters.options)
			if (parameters.respondWith === 'noData') return { status: responseCode }
			return { status: responseCode, body: evaluated(parameters.responseBody, json) }
		}
		const target = workflow.connections[node.name]?.main[output]?.[0]
		if (!target) throw new Error(`nothing follows "${node.name}"`)
		node = named(target.node)
	}
}

/** The workflow behind HTTP, and what it answered. */
async function serving(secret: string): Promise<{ url: string; answers: Answer[] }> {
	const answers: Answer[] = []
	const { httpMethod, path, responseMode, options } = named('Gateway calls').parameters
	expect([httpMethod, responseMode, options]).toEqual(['POST', 'responseNode', { rawBody: true }])
	const server = createServer(async (request, response) => {
		const answer = await answered({ ...request.headers }, await text(request), secret)
		answers.push(answer)
		response.writeHead(answer.status, { 'content-type': 'application/json' })
		response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body))
	})
	await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
	onTestFinished(() => void server.close())
	const { port } = server.address() as AddressInfo
	return { url: `http://127.0.0.1:${port}/webhook/${path}`, answers }
}

/** The key of the gateway and the secret of the credential, by the commands of the page. */
function made(): { key: string; secret: string } {
	const at = mkdtempSync(join(tmpdir(), 'dragoman-n8n-'))
	onTestFinished(() => rmSync(at, { recursive: true }))
	mkdirSync(join(at, 'config'))
	const said = execFileSync('sh', ['-ec', block('make the key')], { cwd: at, encoding: 'utf8' })
	const { BACKEND_KEY: key = '' } = parseEnv(readFileSync(join(at, 'config/.env'), 'utf8'))
	return { key, secret: said.trim().split(' ').at(-1) ?? '' }
}

async function gatewayTo(url: string, key: string) {
	const config = JSON.parse(block('upstream'))
	expect(new URL(config.upstream.url).pathname).toBe(new URL(url).pathname)
	config.upstream.url = url
	const routes = [
		{ name: 'canonical', path: '/canonical', platform: 'canonical' },
		{ name: 'botdistrikt', path: '/botdistrikt', platform: 'botdistrikt' },
	]
	return gateway({ ...config, routes }, adapters, { BACKEND_KEY: key })
}

async function say(url: string, msg: string): Promise<unknown> {
	const headers = { 'content-type': 'application/json' }
	const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ session_id: 's1', msg }) })
	return answer.ok ? answer.json() : answer.status
}

test('it greets, offers a choice, and remembers, on two platforms', async () => {
	const { key, secret } = made()
	const { url: backend, answers } = await serving(secret)
	const { url } = await gatewayTo(backend, key)
	expect(await say(`${url}/botdistrikt`, 'Hi')).toMatchObject({
		responses: ['Hello!', 'Which colour do you like?'],
		quickreplies: ['Red', 'Green'],
	})
	expect(await say(`${url}/botdistrikt`, 'Green')).toMatchObject({ memory: { colour: 'green' } })

	const [npm, run, simulate, dashes, ...args] = block('talk').replace('http://127.0.0.1:8787', url).split(' ')
	expect([npm, run, simulate, dashes]).toEqual(['npm', 'run', 'simulate', '--'])
	expect(await dragoman(['simulate', ...args])).toMatchObject({
		code: 0,
		out: expect.stringContaining('You chose red.'),
	})
	for (const { body } of answers) expect(v.safeParse(BackendReply, body).success).toBe(true)
	expect(answers.length).toBe(4)
})

test('it refuses a call of another key, an old one, one without a signature, and a changed one', async () => {
	const { secret } = made()
	const { url: backend, answers } = await serving(secret)
	const { url } = await gatewayTo(backend, made().key)
	expect(await say(`${url}/botdistrikt`, 'Hi')).toBe(502)

	const signed = (seconds: number, body: string) => ({
		'webhook-id': 'turn_1',
		'webhook-timestamp': `${seconds}`,
		'webhook-signature': `v1,${createHmac('SHA256', secret).update(`turn_1.${seconds}.${body}`).digest('base64')}`,
	})
	const body = JSON.stringify({ version: 1, event: { kind: 'message', attributes: {} }, turn: { id: 'turn_1' } })
	const now = Math.floor(Date.now() / 1000)
	for (const headers of [
		signed(now - 600, body),
		{},
		signed(now, `${body} `),
		{ ...signed(now, body), 'webhook-signature': '' },
	]) {
		expect((await fetch(backend, { method: 'POST', headers, body })).status).toBe(401)
	}
	expect((await fetch(backend, { method: 'POST', headers: signed(now, body), body })).status).toBe(200)
	expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 200])
})
