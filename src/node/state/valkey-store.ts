/** The state of conversations in Valkey or Redis. */
import { hash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Redis } from 'iovalkey'
import { batched } from './batches.ts'
import type { Begun, StateStore, StoreEvents } from './state-store.ts'
import { prefix, script } from './valkey-script.ts'

interface Ask {
	/** The stored name of its conversation. */
	readonly conversation: string
	/** Its kind, and what belongs to it: see the script. */
	readonly args: readonly (string | number)[]
}

/** What the script returned for an ask. */
type Told = readonly [word: string, ...values: (string | number)[]]

/** Milliseconds after which a connection on which an answer is due, and nothing came, is given up; longer where turns wait for longer. */
const silence = 1000
/** Milliseconds between the calls that show whether the connection for messages is alive. */
const pingEvery = 5000
/** Milliseconds between two tries to connect, at most. */
const longestPause = 1000

/** Batches that may be on their way: a second one hides the time that the first is on the network. */
const underWay = 2
/** The server does nothing else while the script runs: this is well below a millisecond. */
const asksAtOnce = 64

/** Words of an error with which a server says that another one has taken over. */
const movedAway = /^(?:READONLY|MASTERDOWN|LOADING) /

/** Opens the store at a URL, which the server need not be there for; `patience`: as in BatchLimits. */
export function openValkeyStore(url: string, patience: number, { wake }: Pick<StoreEvents, 'wake'>): StateStore {
	const client = connect(url, patience)
	const messages = connect(url, patience)
	const whyNot = lastErrorOf(client)
	const node = randomBytes(9).toString('base64url')
	const channel = `${prefix}wake:${node}`
	const sha = hash('sha1', script)

	messages.on('ready', async () => {
		// It fails only with the connection, and then the next one subscribes.
		await messages.subscribe(channel).catch(() => {})
		wake(undefined)
	})
	messages.on('message', (_, claim: string) => wake(claim))
	// After a failover, what was the primary may still answer pings, and tells nothing new.
	client.on('ready', () => client.once('close', () => messages.disconnect(true)))
	// A connection that says nothing looks like one that is dead.
	const pinging = setInterval(() => messages.ping().catch(() => {}), pingEvery).unref()

	async function run(asks: readonly Ask[]): Promise<(Told | Error)[]> {
		if (client.status !== 'ready') throw whyNot()
		const keys = asks.map(({ conversation }) => `${prefix}${conversation}`)
		const args = [keys.length, ...keys, node, ...asks.flatMap(({ args }) => args)]
		const raw = await client.call('evalsha', sha, ...args).catch((cause: unknown) => {
			if (!isUnknownScript(cause)) throw cause
			return client.call('eval', script, ...args)
		})
		const told = Array.isArray(raw) ? raw.map(readTold) : []
		if (told.some((each) => each instanceof Error && movedAway.test(each.message))) client.disconnect(true)
		return told
	}
	const ask = batched(run, { underWay, asks: asksAtOnce, patience })

	return {
		async begin(conversation, { claim, choices = '' }) {
			const args = claim ? [claim.call, claim.fence, Math.ceil(claim.lease), choices] : ['', 0, 0, choices]
			return begunOf(await ask({ conversation, args: ['begin', ...args] }))
		},
		async settle(conversation, { claim, reply = '' }) {
			const args = claim ? [claim.call, claim.fence, claim.answer ?? '', reply] : ['', 0, '', reply]
			const [, whole] = await ask({ conversation, args: ['settle', ...args] })
			return whole === 1
		},
		async addLateReply(conversation, reply) {
			const [, stored] = await ask({ conversation, args: ['addLateReply', reply] })
			return stored === 1
		},
		async takeLateReplies(conversation) {
			const [, ...replies] = await ask({ conversation, args: ['takeLateReplies'] })
			return replies.map(String)
		},
		async identify() {
			// Rejects with the first error.
			if (client.status !== 'ready') await once(client, 'ready')
			return serverIn(await client.info('server'))
		},
		async close() {
			clearInterval(pinging)
			client.disconnect()
			messages.disconnect()
		},
	}
}

function connect(url: string, patience: number): Redis {
	const client = new Redis(url, {
		// A turn does not wait for a connection, and nothing is sent after the turn that asked for it has gone on.
		enableOfflineQueue: false,
		autoResendUnfulfilledCommands: false,
		// The library would subscribe again by itself, and leave its rejection unhandled when the connection is lost meanwhile.
		autoResubscribe: false,
		maxRetriesPerRequest: 0,
		connectTimeout: 5 * silence,
		socketTimeout: Math.max(silence, patience),
		disconnectTimeout: silence,
		retryStrategy: (tries) => Math.min(50 * tries, longestPause),
		connectionName: 'dragoman',
	})
	client.on('error', () => {
		// It connects again by itself, and the asks that fail meanwhile say why. But it hears only one error of a connection,
		// and TLS may have more: one that nobody hears is thrown.
		client.stream?.on('error', () => {})
	})
	return client
}

/** Returns why there is no connection. */
function lastErrorOf(client: Redis): () => Error {
	let last = new Error('no connection')
	client.on('error', (cause: Error) => {
		last = cause
	})
	return () => last
}

/** Name and version of a server, from what it tells of itself. */
function serverIn(info: string): string {
	const [, valkey] = /^valkey_version:(\S+)/m.exec(info) ?? []
	const [, redis] = /^redis_version:(\S+)/m.exec(info) ?? []
	return valkey === undefined ? `redis ${redis}` : `valkey ${valkey}`
}

function isUnknownScript(cause: unknown): boolean {
	return cause instanceof Error && cause.message.startsWith('NOSCRIPT')
}

function readTold(raw: unknown): Told | Error {
	if (!isTold(raw)) return new Error('the server answered with something else')
	return raw[0] === 'failed' ? new Error(String(raw[1])) : raw
}

function isTold(raw: unknown): raw is Told {
	return Array.isArray(raw) && typeof raw[0] === 'string'
}

function begunOf([word, ...values]: Told): Begun {
	const [first] = values
	if (word === 'answer') return { answer: String(first) }
	if (word === 'pending') return { pending: Number(first) }
	return { replies: values.map(String) }
}
