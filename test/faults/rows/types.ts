/** Answers of another type than JSON, without one, or without a body. */
import { answer, type Behaviour, excerpt, head, replyTo, says } from '../behaviours.ts'
import type { Row } from '../row.ts'
import { tally } from '../turns.ts'
import { tryWays } from '../ways.ts'

/** Senders label JSON so, and not at all. */
const taken = [
	'application/json',
	'application/json;charset=utf-8',
	'Application/JSON',
	'text/plain',
	'application/ld+json',
]
const others = [
	...['text/html', 'text/html; charset=utf-8', 'application/xhtml+xml', 'application/xml', 'text/xml', 'image/svg+xml'],
	...['text/css', 'text/javascript', 'application/javascript', 'image/png', 'application/octet-stream', 'json'],
	...['multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'text/json5', 'x'.repeat(2000)],
]
const page = `<!doctype html><title>${excerpt}</title>`
const invalid = ['upstream-reply-invalid']

const ways: { readonly [name: string]: Behaviour } = Object.fromEntries<Behaviour>([
	...taken.map((type) => [`reply as ${type}`, { hears: ['reply'], act: said(type) }] as const),
	...others.map((type) => [`reply as ${type}`, { hears: invalid, act: said(type) }] as const),
	...[...taken, ...others].map((type) => [`page as ${type}`, { hears: invalid, act: shown(type) }] as const),
	['reply without a type', { hears: ['reply'], act: says((call) => answer(replyTo(call), [])) }],
	['page without a type', { hears: invalid, act: says(() => answer(page, [])) }],
	['two types', { hears: ['reply', ...invalid], act: says((call) => answer(replyTo(call), both)) }],
	['204', { hears: ['silence'], act: says(() => head([], 204)) }],
	['204 of a page', { hears: ['silence', ...invalid], act: says(() => head(['content-type: text/html'], 204)) }],
	['205', { hears: ['silence'], act: says(() => answer('', [], 205)) }],
	['200 without a body', { hears: ['silence'], act: says(() => answer('', [])) }],
])

const both = ['content-type: text/html', 'content-type: application/json']

function said(type: string) {
	return says((call) => answer(replyTo(call), [`content-type: ${type}`]))
}

function shown(type: string) {
	return says(() => answer(page, [`content-type: ${type}`]))
}

export const types: Row = {
	id: 'A9',
	fault: 'The wrong content type or none, 204, an HTML page',
	demand: '20 types and more: 100 % typed, 0 HTML passed through',
	async run(trial) {
		const { tried, broken } = await tryWays(trial, { ways, turns: trial.at(600, 1000, 5000) })
		const kinds = new Set(tried.map(({ way }) => way)).size
		return { reached: `${tried.length} of ${kinds} kinds: ${tally(tried.map(({ heard }) => heard))}`, broken }
	},
}
