/** Fixtures are read strictly, and one that says something wrong fails. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { testFixture } from './adapter.ts'
import { readFixtures } from './fixtures.ts'
import { eventSide } from './laws.ts'

const event = { kind: 'message', text: 'Hi', attributes: {} }
const good = { note: 'a text', source: 'ours', wire: { json: { version: 1, event } }, canonical: event }

/** Fixtures in a directory of their own. */
function fixturesOf(files: { readonly [name: string]: object }) {
	const directory = mkdtempSync(join(tmpdir(), 'fixtures-'))
	onTestFinished(() => rmSync(directory, { recursive: true }))
	for (const [name, file] of Object.entries(files)) writeFileSync(join(directory, name), JSON.stringify(file))
	return readFixtures(pathToFileURL(directory))
}

test('fields missing in a fixture have defaults', () => {
	const fixtures = fixturesOf({
		'event.text.json': good,
		'bad.reply.status.json': { note: 'n', source: 's', wire: { body: '<' }, error: { code: 'body-not-json' } },
	})
	const headers = [['content-type', 'application/json']]
	expect(fixtures.event).toMatchObject([
		{ name: 'event.text.json', wire: { method: 'POST', query: [], headers }, unread: [], encoded: { isJson: true } },
	])
	expect(fixtures.badReply).toMatchObject([
		{ wire: { status: 200, headers, body: '<' }, event: { kind: 'message', attributes: {} } },
	])
	expect(fixtures).toMatchObject({ reply: [], badEvent: [] })
})

describe('a fixture is rejected', () => {
	const { note: _note, ...noteless } = good
	const bad = { note: 'n', source: 's', wire: { body: '' } }
	test.each<[string, string, object]>([
		['without a note', 'event.a.json', noteless],
		['with an empty source', 'event.a.json', { ...good, source: '' }],
		['with an unknown key', 'event.a.json', { ...good, canonicle: {} }],
		['with an unknown key in its wire', 'event.a.json', { ...good, wire: { ...good.wire, path: '/' } }],
		['with two bodies', 'event.a.json', { ...good, wire: { json: {}, body: '' } }],
		['whose canonical is not of the model', 'event.a.json', { ...good, canonical: { kind: 'message' } }],
		['with an unknown error code', 'bad.event.a.json', { ...bad, error: { code: 'wrong' } }],
		['without the error', 'bad.event.a.json', bad],
		['under a name that says too little', 'text.json', good],
	])('%s', (_what, name, file) => {
		expect(() => fixturesOf({ [name]: file })).toThrow(name)
	})
})

describe('a fixture fails', () => {
	const side = eventSide(canonical.create())
	const check = (file: object) => {
		const [fixture] = fixturesOf({ 'event.a.json': file }).event
		if (fixture) testFixture(side, fixture)
	}
	test('not when it is right', () => check(good))
	test.each<[string, object]>([
		['when decode makes something else of it', { ...good, canonical: { ...event, text: 'Ho' } }],
		['when more is read', { ...good, unread: ['event.text'] }],
		['when less is read', { ...good, wire: { json: { version: 1, event: { ...event, mood: 'good' } } } }],
		['when encode writes something else', { ...good, encoded: { json: { version: 2, event } } }],
		['when encode writes another text', { ...good, encoded: { body: ` ${JSON.stringify({ version: 1, event })}` } }],
		['when encode writes other headers', { ...good, encoded: { json: { version: 1, event }, headers: [] } }],
	])('%s', (_what, file) => {
		expect(() => check(file)).toThrow()
	})
})
