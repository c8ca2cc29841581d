/** Signatures: only the one that is right holds, on our calls, on those of platforms, and on what the outbox has stored. */

import { Webhook } from 'standardwebhooks'
import type { Fields, WireRequest } from '../../../src/format/index.ts'
import { createEncryption } from '../../../src/node/outbox/encryption.ts'
import { testCrypto } from '../../crypto.ts'
import { header, message } from '../../harness/http.ts'
import { ownTo, platforms } from '../../harness/platforms.ts'
import { oneOf } from '../../harness/random.ts'
import { type Row, type Trial, unless } from '../row.ts'
import { nth } from '../turns.ts'

type Random = () => number

/** Changed signatures. */
const demanded = 100_000

const keyOf = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`
const [current, next, foreign] = [keyOf(1), keyOf(2), keyOf(3)]

export const signatures: Row = {
	id: 'D14',
	fault: 'Signatures that are empty, truncated, repeated, with extra bytes, or of another algorithm, key or alphabet',
	demand: '0 of 100,000 accepted; the right one accepted in each allowed form',
	async run(trial) {
		const count = trial.at(700, 10_000, 40_000)
		const broken = [
			...(await ourCalls(trial, count)),
			...(await platformCalls(count, trial.random)),
			...stored(count, trial.random),
		]
		return {
			reached: `${3 * count} changed signatures, ${broken.length} wrongly accepted or rejected`,
			broken,
			missed: unless(3 * count >= demanded, `${3 * count}, for lack of time; --full runs all`),
		}
	},
}

interface Signed {
	readonly id: string
	readonly time: string
	readonly signature: string
	readonly body: string
}

/** Whether the library that a backend would use accepts it with this key. */
function holds(key: string, { id, time, signature, body }: Signed): boolean {
	try {
		new Webhook(key).verify(body, { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature })
		return true
	} catch {
		return false
	}
}

/** What we sign, judged by that library. */
async function ourCalls(trial: Trial, count: number): Promise<string[]> {
	const { random } = trial
	const upstream = await trial.upstream()
	const gateway = await trial.start(ownTo({ url: upstream.url, sign: [{ env: 'CURRENT' }, { env: 'NEXT' }] }), {
		env: { CURRENT: current, NEXT: next },
	})
	await gateway.send({ path: '/own', body: message('Grüße 😀\u2028') })
	const call = nth(upstream.calls, 0)
	const value = (name: string) => header(call, `webhook-${name}`) ?? ''
	const signed = { id: value('id'), time: value('timestamp'), signature: value('signature'), body: call.body }
	const broken = [
		...unless(holds(current, signed) && holds(next, signed), 'our own signature does not hold'),
		...unless(!holds(foreign, signed), 'our signature holds by a foreign key'),
	]
	for (let mutations = 0; mutations < count; mutations++) {
		const changed = changedCall(signed, random)
		broken.push(...unless(!holds(oneOf([current, next], random), changed), `holds: ${JSON.stringify(changed)}`))
	}
	return broken
}

/** The call with its signatures spoilt, or with its id, its time or a byte of its body changed under them. */
function changedCall(signed: Signed, random: Random): Signed {
	const { id, time, signature, body } = signed
	const at = Math.floor(random() * body.length)
	const spoilt = signature.split(' ').map((each) => spoiltSignature(each, random))
	const changes: readonly Partial<Signed>[] = [
		{ signature: spoilt.join(' ') },
		{ id: `${id}x` },
		{ time: `${Number(time) + oneOf([-1, 1, 299, -299], random)}` },
		{ body: `${body.slice(0, at)}${body[at] === 'x' ? 'y' : 'x'}${body.slice(at + 1)}` },
		{ body: `${body} ` },
	]
	return { ...signed, ...oneOf(changes, random) }
}

/** With another letter at this place. */
function otherAt(text: string, at: number): string {
	return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
}

/** A signature that is not the right one, however it is read. */
function spoiltSignature(signature: string, random: Random): string {
	const [version = '', mac = ''] = signature.split(',')
	// The last letter before the padding has two bits that say nothing.
	const at = Math.floor(random() * (mac.length - 2))
	const other = otherAt(mac, at)
	const bytes = Buffer.from(mac, 'base64')
	const macs = [
		...[other, mac.slice(0, at), '', bytes.toString('hex'), `${other},${mac}`],
		...[Buffer.concat([bytes, Buffer.from([1])]), bytes.subarray(1)].map((each) => each.toString('base64')),
	]
	return oneOf([...macs.map((each) => `${version},${each}`), version, '', `v1a,${mac}`, `v2,${mac}`, mac], random)
}

/** What platforms sign or show: spoilt in its place in the call. */
async function platformCalls(count: number, random: Random): Promise<string[]> {
	const broken: string[] = []
	const secret = 'a secret that platforms share'
	const proving = platforms.flatMap(({ name, adapter: { auth }, wire }) => (auth ? [{ name, auth, wire }] : []))
	for (const { name, auth, wire } of proving) {
		const signed = await auth.sign(wire, secret, testCrypto)
		const right = await auth.verify(signed, [secret], testCrypto)
		const rotating = await auth.verify(signed, ['other', secret], testCrypto)
		broken.push(...unless(right && rotating, `${name}: the right proof does not hold, or not during rotation`))
		for (let i = 0; i < count / proving.length; i++) {
			const changed = withProof(signed, wire, (proof) => spoiltProof(proof, random))
			const accepted = await auth.verify(changed, [secret], testCrypto).catch((thrown) => String(thrown))
			broken.push(...unless(accepted === false, `${name} holds: ${JSON.stringify(changed).slice(0, 400)}`))
		}
	}
	return broken
}

/** The call with the proof, wherever it is, replaced. */
function withProof(signed: WireRequest, plain: WireRequest, replace: (proof: string) => string): WireRequest {
	const spoil = (fields: Fields, old: Fields): Fields =>
		fields.map(([name, value]) =>
			old.some((field) => field[0] === name && field[1] === value) ? [name, value] : [name, replace(value)],
		)
	if (signed.body === plain.body) {
		return { ...signed, query: spoil(signed.query, plain.query), headers: spoil(signed.headers, plain.headers) }
	}
	const body: { token: string } = JSON.parse(signed.body)
	return { ...signed, body: JSON.stringify({ ...body, token: replace(body.token) }) }
}

const heads = [
	...['{"alg":"none"}', '{"alg":"HS512"}', '{"alg":"RS256"}', '{"alg":"hs256"}', '{"alg":["HS256"]}', '{}', '[]'],
]

/** Not the right proof: part of it, more than it, none, or where it is a token, one of another head, algorithm or content. */
function spoiltProof(proof: string, random: Random): string {
	const at = Math.floor(random() * (proof.length - 2))
	const [first = '', claims = '', mac = ''] = proof.split('.')
	const head = Buffer.from(oneOf(heads, random)).toString('base64url')
	const proofs = [
		...[otherAt(proof, at), proof.slice(0, at), proof.slice(at + 1), '', ' ', `${proof}x`, `x${proof}`],
		...[`${proof} `, `${proof}=`, `${proof}.${mac}`, `${proof},${proof}`, '..', '.', `Bearer ${proof}`],
		...[`${head}.${claims}.${mac}`, `${head}.${claims}.`, `${head}.${claims}`, `${first}.${claims}.`],
		...[`${first}.${claims}.${mac.slice(0, at % mac.length)}`, `${first}.${claims}.${mac}${mac}`],
		...[proof.toUpperCase(), proof.split('').reverse().join('')],
	]
	return oneOf(proofs, random)
}

/** What the outbox stored, with a bit flipped, cut, or under another name. */
function stored(count: number, random: Random): string[] {
	const broken: string[] = []
	const encryptionOf = (...keys: number[]) => createEncryption(keys.map((byte) => Buffer.alloc(32, byte)))
	const [seal, rotated, other] = [encryptionOf(1), encryptionOf(2, 1), encryptionOf(3)]
	const text = JSON.stringify({ id: 'turn_1', request: { body: 'Grüße 😀' } })
	if (rotated.decrypt('turn_1', seal.encrypt('turn_1', text)) !== text) broken.push('nothing opens during rotation')
	const opens = (by: typeof seal, name: string, sealed: { key: string | null; bytes: Uint8Array }): boolean => {
		try {
			by.decrypt(name, sealed)
			return true
		} catch {
			return false
		}
	}
	for (let i = 0; i < count; i++) {
		const sealed = seal.encrypt('turn_1', text)
		const at = Math.floor(random() * sealed.bytes.length)
		const flipped = Uint8Array.from(sealed.bytes)
		flipped[at] = (flipped[at] ?? 0) ^ (1 << Math.floor(random() * 8))
		const tries = [
			() => opens(seal, 'turn_1', { ...sealed, bytes: flipped }),
			() => opens(seal, 'turn_1', { ...sealed, bytes: sealed.bytes.subarray(0, at) }),
			() => opens(seal, 'turn_1', { ...sealed, bytes: Buffer.concat([sealed.bytes, Buffer.from([0])]) }),
			() => opens(seal, 'turn_2', sealed),
			() => opens(seal, 'turn_1', { ...sealed, key: null }),
			() => opens(other, 'turn_1', sealed),
			() => opens(other, 'turn_1', { ...sealed, key: other.current }),
		]
		broken.push(...unless(!oneOf(tries, random)(), `a changed event opens, changed at ${at}`))
	}
	return broken
}
