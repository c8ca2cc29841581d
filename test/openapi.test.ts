/** The OpenAPI document is valid, its examples match its schemas, and the statuses mean what it says. */
import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { exampleReplies, exampleRequest } from '../scripts/page-examples.ts'
import { call, gateway, gatewayTo, upstream } from './servers.ts'

const document = JSON.parse(readFileSync(new URL('../schema/openapi.json', import.meta.url), 'utf8'))

test('it is a valid document of OpenAPI 3.1', async () => {
	const { valid, errors } = await new Validator().validate(structuredClone(document))
	expect(errors ?? []).toEqual([])
	expect(valid).toBe(true)
})

test('its examples match its schemas', () => {
	const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false })
	addFormats.default(ajv)
	ajv.addVocabulary(['openapi', 'info', 'webhooks', 'components'])
	ajv.addSchema(document, 'openapi')
	const isValid = (name: string, value: unknown) => ajv.validate({ $ref: `openapi#/components/schemas/${name}` }, value)
	expect(isValid('Request', exampleRequest()), ajv.errorsText()).toBe(true)
	for (const reply of Object.values(exampleReplies())) expect(isValid('Reply', reply), ajv.errorsText()).toBe(true)
	expect(isValid('Reply', { message: [] })).toBe(false)
	expect(isValid('Accepted', { id: 'turn_1', changes: [] }), ajv.errorsText()).toBe(true)
})

test('a signed call to a backend has the headers that it names', async () => {
	const { url, calls } = await upstream()
	const routes = [{ name: 'in', path: '/in', platform: 'canonical' }]
	const env = { BACKEND_KEY: `whsec_${btoa('0123456789abcdef01234567')}` }
	const config = { upstream: { url, sign: [{ env: 'BACKEND_KEY' }] }, routes }
	await call(`${(await gateway(config, [canonical], env)).url}/in`)
	const sent = calls[0]?.headers.map(([name]) => name)
	const { parameters } = document.webhooks.turn.post
	expect(sent).toEqual(expect.arrayContaining(parameters.map(({ name }: { name: string }) => name)))
})

test.each([
	{ status: 200, body: '{"messages":[]}', answered: 200 },
	{ status: 201, body: '', answered: 200 },
	{ status: 204, body: '', answered: 200 },
	{ status: 302, body: '', answered: 502 },
	{ status: 410, body: '', answered: 502 },
	{ status: 429, body: '', answered: 502 },
	{ status: 500, body: '', answered: 502 },
])('an answer with status $status means what it says', async ({ status, body, answered }) => {
	const { url } = await upstream(() => ({ status, headers: [], body }))
	const gateway = await gatewayTo(url)
	expect((await call(`${gateway.url}/in`)).status).toBe(answered)
})
