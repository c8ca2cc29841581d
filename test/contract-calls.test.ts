/** What gateways really send to a backend is what the published schema describes: for the fixtures of every platform. */
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { closedSchema } from '../scripts/contract-schemas.ts'
import { readFixtures } from './fixtures.ts'
import { gateway, json, upstream } from './servers.ts'

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false })
addFormats.default(ajv)
const isPublished = ajv.compile(
	JSON.parse(readFileSync(new URL('../schema/request.schema.json', import.meta.url), 'utf8')),
)
const isClosed = ajv.compile(closedSchema('request'))

const env = { REPLY_KEY: btoa('a key of thirty-two bytes, so it') }
const replyUrls = { publicUrl: 'https://bots.example.com', replyUrl: { keys: [{ env: 'REPLY_KEY' }] } }

test.each(adapters)('the calls of $name', async ({ name }) => {
	const { url, calls } = await upstream(() => json({}))
	const { event } = readFixtures(new URL(`../adapters/${name}/fixtures/`, import.meta.url))
	const routes = event.map(({ options = {} }, i) => ({
		name: `r${i}`,
		path: `/r${i}`,
		platform: name,
		options,
		raw: true,
	}))
	const { send } = await gateway({ upstream: { url }, ...replyUrls, routes }, adapters, env)
	for (const [i, { wire }] of event.entries()) await send({ ...wire, path: `/r${i}` })

	const requests = calls.map(({ body }) => JSON.parse(body))
	expect(requests.length).toBeGreaterThan(event.length / 2)
	for (const request of requests) {
		expect(isPublished(request), ajv.errorsText(isPublished.errors)).toBe(true)
		expect(isClosed(request), ajv.errorsText(isClosed.errors)).toBe(true)
		expect(request.turn).toHaveProperty('raw')
		if (request.event.conversation) expect(request.turn).toHaveProperty('replyUrl')
	}
})
