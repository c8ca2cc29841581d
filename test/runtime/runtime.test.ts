/** The same gateway on Node and on Workers: it behaves, and its answers are the same byte for byte. */
import { describe, expect, test } from 'vitest'
import type { WireResponse } from '../../src/format/index.ts'
import type { LogLine } from '../../src/runtime.ts'
import type { Received } from '../harness/upstream.ts'
import { behaviour, type Record } from './suite.ts'

/** What may differ, and why. */
const mayDiffer = {
	answers: {
		date: 'the server on Node writes it; at Cloudflare the edge does',
		connection: 'of one connection only: each server keeps and ends its own as it likes',
		'keep-alive': 'as connection',
		'transfer-encoding': 'how the same bytes are framed, of one connection only',
	},
	calls: {
		'cf-worker': 'Cloudflare names the domain of the Worker that calls, whatever the Worker says',
		host: 'each runtime has an upstream of its own here, on a port of its own',
		'cdn-loop': 'made of the URL of the upstream, whose port is its own',
		connection: 'of one connection only',
		'content-length': 'how the same bytes are framed; workerd leaves it out of calls without a body',
		'webhook-timestamp': 'the time of the call',
		'webhook-signature': 'made of the time',
	},
	lines: {
		time: 'the time of the line',
		ms: 'how long it took',
		turn: 'minted',
		cause: 'the system’s own code of a failure: workerd gives none',
		object: 'Node has no Durable Objects',
	},
} as const

// Registered one after the other: the first has ended when the second starts.
const onNode = behaviour('Node')
const onWorkers = behaviour('Workers')

// Ids of turns are minted, moments of time are what they are, and what is sealed is another text each time.
const minted = /turn_[0-9a-f-]{36}/g
const moment = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g
const sealed = /(\/-\/reply\/)eyJ[\w.%-]+/g
const timeless = (text: string) => text.replace(minted, 'turn_ID').replace(moment, 'TIME').replace(sealed, '$1SEALED')

const without = (names: object, headers: readonly (readonly [string, unknown])[]) =>
	headers.filter(([name]) => !(name in names))

function plainAnswers(record: Record): string[] {
	const plain = ([key, { status, headers, body }]: [string, WireResponse]) =>
		JSON.stringify([timeless(key), status, without(mayDiffer.answers, headers).toSorted(), timeless(body)])
	// Concurrent calls end in any order; each key has its call's number.
	return [...record.answers].map(plain).toSorted()
}

function plainCalls(record: Record): string[] {
	const plain = ({ path, headers, body }: Received) =>
		timeless(JSON.stringify([path, without(mayDiffer.calls, headers).toSorted(), body]))
	return record.calls().map(plain).toSorted()
}

function plainLines(record: Record): string[] {
	const plain = (line: LogLine) => {
		const fields = Object.entries(JSON.parse(JSON.stringify(line)))
		return JSON.stringify(without(mayDiffer.lines, fields).toSorted())
	}
	return record
		.lines()
		.filter(({ msg }) => msg === 'turn' || msg === 'reply' || msg === 'delivery')
		.map(plain)
		.toSorted()
}

/** Only what differs: the whole lists are too long to be read. Waits for deliveries, and for lines on their way to us. */
async function expectSame(plain: (record: Record) => string[]): Promise<void> {
	const onlyOn = (some: string[], others: string[]) => {
		const known = new Set(others)
		return some.filter((each) => !known.has(each)).slice(0, 5)
	}
	const difference = () => {
		const [here, there] = [plain(onNode), plain(onWorkers)]
		const more = there.length - here.length
		return { onlyOnWorkers: onlyOn(there, here), onlyOnNode: onlyOn(here, there), moreOnWorkers: more }
	}
	await expect.poll(difference).toEqual({ onlyOnWorkers: [], onlyOnNode: [], moreOnWorkers: 0 })
	expect(plain(onWorkers)).toEqual(plain(onNode))
	expect(plain(onNode).length).toBeGreaterThan(100)
}

describe('Node and Workers', () => {
	test('give the same answers', () => expectSame(plainAnswers))
	test('make the same calls to the upstream', () => expectSame(plainCalls))
	test('log the same turns, replies and deliveries', () => expectSame(plainLines))
})
