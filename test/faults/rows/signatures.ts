/** Signatures: only the one that is right holds, on our calls, on those of platforms, and on what the outbox has stored. */
import { Webhook } from 'standardwebhooks'
import type { WireRequest } from '../../../src/format/index.ts'
import { createSeal } from '../../../src/node/outbox/encryption.ts'
import { testCrypto } from '../../crypto.ts'
import { send } from '../../runtime/http.ts'
import { message, platforms } from '../calls.ts'
import { type Heard, startEcho } from '../echo.ts'
import { startGateway } from '../gateway.ts'
import { oneOf, randomFrom } from '../random.ts'
import type { Row, Trial } from '../row.ts'

type Random = () => number

/** Changed signatures. */
const demanded = 100_000

const keys = [1, 2, 3].map((byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`)
const [current = '', next = '', foreign = ''] = keys

export const signatures: Row = {
	id: 'D14',
	fault: 'Signatures that are empty, cut, of another algorithm, key or alphabet, doubled, or with bytes to spare',
	demand: '0 accepted of 100,000; the right one accepted in each form that is allowed',
	async run(trial) {
		const random = randomFrom(trial.seed)
		const each = trial.at(700, 10_000, 40_000)
		const tried = [await ourCalls(trial, each, random), await platformCalls(each, random), stored(each, random)]
		const broken = tried.flatMap((part) => part.broken)
		const mutations = tried.reduce((sum, part) => sum + part.mutations, 0)
		return {
			reached: `${mutations} changed signatures, ${broken.length} accepted or wrongly refused`,
			broken: broken.slice(0, 10),
			missed: mutations < demanded ? [`${mutations}, for want of time; all of them with --full`] : [],
		}
	},
}

interface Part {
	readonly mutations: number
	readonly broken: string[]
}

/** What we sign, judged by the library that a backend would use. */
async function ourCalls(trial: Trial, count: number, random: Random): Promise<Part> {
	const upstream = await startEcho(trial)
	const gateway = await startGateway(
		trial,
		{
			upstream: { url: upstream.url, sign: [{ env: 'CURRENT' }, { env: 'NEXT' }] },
			routes: [{ name: 'own', path: '/own', platform: 'canonical' }],
		},
		{ env: { CURRENT: current, NEXT: next } },
	)
	await send(gateway.url, { path: '/own', body: message('Grüße 😀\u2028') })
	const [heard] = upstream.heard
	if (!heard) throw new Error('the upstream was not called')
	const signed = fieldsOf(heard)
	const holds = (key: string, fields: Signed, body: string): boolean => {
		try {
			new Webhook(key).verify(body, { ...fields })
			return true
		} catch {
			return false
		}
	}
	const broken: string[] = []
	for (const key of [current, next]) if (!holds(key, signed, heard.body)) broken.push('our own signature does not hold')
	if (holds(foreign, signed, heard.body)) broken.push('our signature holds by a foreign key')
	let mutations = 0
	while (mutations < count) {
		const changed = changedCall(signed, heard.body, random)
		if (!changed) continue
		mutations++
		if (holds(oneOf([current, next], random), changed.fields, changed.body)) {
			broken.push(`holds: ${JSON.stringify(changed.fields)}`)
		}
	}
	return { mutations, broken }
}

interface Signed {
	readonly 'webhook-id': string
	readonly 'webhook-timestamp': string
	readonly 'webhook-signature': string
}

function fieldsOf({ headers }: Heard): Signed {
	const value = (name: string) => headers[headers.indexOf(name) + 1] ?? ''
	return {
		'webhook-id': value('webhook-id'),
		'webhook-timestamp': value('webhook-timestamp'),
		'webhook-signature': value('webhook-signature'),
	}
}

/** The call with its signatures spoilt, or with its id, its time or a byte of its body changed under them. */
function changedCall(signed: Signed, body: string, random: Random): { fields: Signed; body: string } | undefined {
	const at = Math.floor(random() * body.length)
	const spoil = (text: string) =>
		text
			.split(' ')
			.map((each) => spoilt(each, random))
			.join(' ')
	const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature } = signed
	const changed = oneOf(
		[
			{ fields: { ...signed, 'webhook-signature': spoil(signature) }, body },
			{ fields: { ...signed, 'webhook-id': `${id}x` }, body },
			{ fields: { ...signed, 'webhook-timestamp': `${Number(time) + oneOf([-1, 1, 299, -299], random)}` }, body },
			{ fields: signed, body: `${body.slice(0, at)}${body[at] === 'x' ? 'y' : 'x'}${body.slice(at + 1)}` },
			{ fields: signed, body: `${body} ` },
		],
		random,
	)
	return changed.fields === signed && changed.body === body ? undefined : changed
}

/** A signature that is not the right one, however it is read. */
function spoilt(signature: string, random: Random): string {
	const [version = '', mac = ''] = signature.split(',')
	const at = Math.floor(random() * (mac.length - 2))
	// The last letter before the padding has two bits that say nothing.
	const other = `${mac.slice(0, at)}${mac[at] === 'A' ? 'B' : 'A'}${mac.slice(at + 1)}`
	return oneOf(
		[
			`${version},${other}`,
			`${version},${mac.slice(0, at)}`,
			`${version},`,
			version,
			'',
			`v1a,${mac}`,
			`v2,${mac}`,
			`${version}`,
			`${mac}`,
			`${version},${Buffer.from(mac, 'base64').toString('hex')}`,
			`${version},${other},${mac}`,
			`${version},${Buffer.concat([Buffer.from(mac, 'base64'), Buffer.from([1])]).toString('base64')}`,
			`${version},${Buffer.from(mac, 'base64').subarray(1).toString('base64')}`,
		],
		random,
	)
}

/** What platforms sign or show: spoilt in its place in the call. */
async function platformCalls(count: number, random: Random): Promise<Part> {
	const broken: string[] = []
	const secret = 'a secret that platforms share'
	let mutations = 0
	const proving = platforms.flatMap(({ name, factory, wire, options }) => {
		const given = typeof options === 'object' && options !== null ? options : {}
		const all = name === 'pingstreams' ? ['token', 'hook-secret'].map((proof) => ({ ...given, proof })) : [options]
		return all.flatMap((each) => {
			const { auth } = factory.create(each)
			return auth ? [{ name: `${name} ${JSON.stringify(each)}`, auth, wire }] : []
		})
	})
	for (const { name, auth, wire } of proving) {
		const signed = await auth.sign(wire, secret, testCrypto)
		if (!(await auth.verify(signed, [secret], testCrypto))) broken.push(`${name}: the right proof does not hold`)
		if (!(await auth.verify(signed, ['other', secret], testCrypto))) broken.push(`${name}: nor during rotation`)
		for (let i = 0; i < count / proving.length; i++) {
			const changed = withProof(signed, wire, (proof) => spoiltProof(proof, random))
			mutations++
			if (await auth.verify(changed, [secret], testCrypto).catch((thrown) => String(thrown))) {
				broken.push(`${name} holds: ${JSON.stringify(changed).slice(0, 400)}`)
			}
		}
	}
	return { mutations, broken }
}

/** The call with the proof, wherever it is, replaced. */
function withProof(signed: WireRequest, plain: WireRequest, replace: (proof: string) => string): WireRequest {
	const isNew = (old: WireRequest['query']) => (field: readonly [string, string]) =>
		!old.some(([name, value]) => name === field[0] && value === field[1])
	const spoil = (fields: WireRequest['query'], old: WireRequest['query']) =>
		fields.map((field): readonly [string, string] => (isNew(old)(field) ? [field[0], replace(field[1])] : field))
	if (signed.body === plain.body) {
		return { ...signed, query: spoil(signed.query, plain.query), headers: spoil(signed.headers, plain.headers) }
	}
	const body: { token: string } = JSON.parse(signed.body)
	return { ...signed, body: JSON.stringify({ ...body, token: replace(body.token) }) }
}

/** Not the right proof: part of it, more than it, none, or where it is a token, one of another head, algorithm or content. */
function spoiltProof(proof: string, random: Random): string {
	const at = Math.floor(random() * (proof.length - 2))
	const other = `${proof.slice(0, at)}${proof[at] === 'A' ? 'B' : 'A'}${proof.slice(at + 1)}`
	const [first = '', claims = '', mac = ''] = proof.split('.')
	const heads = [
		'{"alg":"none"}',
		'{"alg":"HS512"}',
		'{"alg":"RS256"}',
		'{}',
		'[]',
		'{"alg":"hs256"}',
		'{"alg":["HS256"]}',
	]
	const head = Buffer.from(oneOf(heads, random)).toString('base64url')
	return oneOf(
		[
			...[other, proof.slice(0, at), proof.slice(at + 1), '', ' ', `${proof}x`, `x${proof}`, `${proof} `, `${proof}=`],
			...[
				`${head}.${claims}.${mac}`,
				`${head}.${claims}.`,
				`${head}.${claims}`,
				`${first}.${claims}.`,
				`${first}.${claims}.${mac.slice(0, at % mac.length)}`,
				`${first}.${claims}.${mac}${mac}`,
				`${proof}.${mac}`,
				`${proof},${proof}`,
				'..',
				'.',
			],
			...[proof.toUpperCase(), proof.split('').reverse().join(''), `Bearer ${proof}`],
		],
		random,
	)
}

/** What the outbox stored, with a bit flipped, cut, or under another name. */
function stored(count: number, random: Random): Part {
	const broken: string[] = []
	const [key, old, stranger] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte))
	if (!key || !old || !stranger) throw new Error('keys are missing')
	const text = JSON.stringify({ id: 'turn_1', request: { body: 'Grüße 😀' } })
	const [seal, rotated, other] = [createSeal([key]), createSeal([old, key]), createSeal([stranger])]
	const opens = (by: typeof seal, name: string, sealed: { key: string | null; bytes: Uint8Array }): boolean => {
		try {
			by.open(name, sealed)
			return true
		} catch {
			return false
		}
	}
	for (let i = 0; i < count; i++) {
		const sealed = seal.seal('turn_1', text)
		if (i === 0 && rotated.open('turn_1', sealed) !== text) broken.push('what was sealed does not open during rotation')
		const at = Math.floor(random() * sealed.bytes.length)
		const flipped = Uint8Array.from(sealed.bytes)
		flipped[at] = (flipped[at] ?? 0) ^ (1 << Math.floor(random() * 8))
		const accepted = oneOf(
			[
				() => opens(seal, 'turn_1', { ...sealed, bytes: flipped }),
				() => opens(seal, 'turn_1', { ...sealed, bytes: sealed.bytes.subarray(0, at) }),
				() => opens(seal, 'turn_1', { ...sealed, bytes: Buffer.concat([sealed.bytes, Buffer.from([0])]) }),
				() => opens(seal, 'turn_2', sealed),
				() => opens(seal, 'turn_1', { ...sealed, key: null }),
				() => opens(other, 'turn_1', sealed),
				() => opens(other, 'turn_1', { ...sealed, key: other.current }),
			],
			random,
		)()
		if (accepted) broken.push(`a changed event opens, changed at ${at}`)
	}
	return { mutations: count, broken }
}
