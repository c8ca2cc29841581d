/** Which calls begin a turn, and in which of the route's formats they are. */
import { asGatewayError, GatewayError } from '../errors.ts'
import {
	type Crypto,
	type NamedAdapter,
	problemResponse,
	type WireRequest,
	type WireResponse,
} from '../format/index.ts'
import type { Route } from '../route.ts'
import type { Runtime } from '../runtime.ts'
import { findLoop, readMarks } from './loop-detection.ts'
import type { PreparedRoute } from './prepared-route.ts'
import { isLarge } from './stages.ts'

/** The body of a call that has not been read. */
export interface UnreadBody {
	/**
	 * Reads all of it. Throws a GatewayError that says why it was refused. `isProven`: the call's origin is proved, so that
	 * it may use all of the memory that there is for bodies.
	 */
	read(isProven: boolean): Promise<string>
	/** Reads a small part of it at most, and drops that, so that the caller gets an answer. Never rejects. */
	drop(): Promise<void>
}

/** A platform's call as the runtime handed it over. */
export interface Arrival {
	/** The call without its body. */
	readonly head: CallHead
	readonly body: UnreadBody
	/** The path segment behind the route's path, where the secret of a platform without `auth` stands. */
	readonly pathSecret?: string | undefined
	/** When it was handed over, as `Runtime.elapsed`. */
	readonly at: number
}

/** A call without its body. */
export type CallHead = Omit<WireRequest, 'body'>

/** A call that begins a turn. */
export interface Admitted {
	readonly call: WireRequest
	/** The marks of the routes that the call came through. */
	readonly marks: readonly string[]
}

/** A call that is answered. */
export interface Answered {
	readonly answer: WireResponse
	/** Why the call began no turn. Absent: it began one, or was a set-up call. */
	readonly refusal?: GatewayError
}

/**
 * Admits a call, or answers it without a turn: a set-up call as its platform expects, and with problem details a call
 * that does not prove its origin (`not-found`), has another method (`method-not-allowed`), whose body is refused, or
 * that came through the route before (`loop-detected`). The body is read once the origin is proved, or to find the proof.
 */
export async function admit(
	route: PreparedRoute,
	{ head, body, pathSecret }: Arrival,
	runtime: Runtime,
): Promise<Admitted | Answered> {
	const { crypto } = runtime
	const { methods: allowed } = route
	const proof = await proofOfHead(route, head, pathSecret, crypto)
	if (proof === 'none') return await drop(body, new GatewayError('not-found'))
	const refusedMethod = allowed.includes(head.method) ? undefined : new GatewayError('method-not-allowed', { allowed })
	if (proof !== 'in body' && refusedMethod) return await drop(body, refusedMethod)

	let text: string
	try {
		text = await body.read(proof === 'secret')
	} catch (thrown) {
		if (!(thrown instanceof GatewayError)) throw thrown
		if (thrown.code === 'too-many-bodies') return refuse(thrown, route)
		// Of a body that is not read, nothing is proved.
		return refuse(proof === 'in body' ? new GatewayError('not-found') : thrown)
	}
	const call = { ...head, body: text }
	if (isLarge(call)) await runtime.letOthersRun()
	if (proof === 'in body') {
		const isProven = await route.platforms[0].adapter.auth?.verify(call, route.secrets, crypto)
		if (!isProven || pathSecret !== undefined) return refuse(new GatewayError('not-found'))
		if (refusedMethod) return refuse(refusedMethod)
	}

	if (isLarge(call)) await runtime.letOthersRun()
	const setUp = answerSetUp(route, call)
	if (setUp) return setUp
	const marks = readMarks(call)
	const loop = marks.length > 0 ? await findLoop(marks, route, crypto) : undefined
	return loop ? refuse(loop) : { call, marks }
}

async function drop(body: UnreadBody, refusal: GatewayError): Promise<Answered> {
	await body.drop()
	return refuse(refusal)
}

/** The platform's own answer to a fault of the gateway, if it has one; else problem details. */
function refuse(refusal: GatewayError, route?: PreparedRoute): Answered {
	return { answer: route?.platforms[0].adapter.failure?.(undefined, refusal) ?? problemResponse(refusal), refusal }
}

type Proof = 'secret' | 'open' | 'in body' | 'none'

/** What a call's head proves: a secret, nothing, or that the route is open; or the proof stands in the body. */
function proofOfHead(
	route: PreparedRoute,
	head: CallHead,
	pathSecret: string | undefined,
	crypto: Crypto,
): Proof | Promise<Proof> {
	const { auth } = route.platforms[0].adapter
	if (route.secrets.length === 0) return pathSecret === undefined ? 'open' : 'none'
	// The path is compared on every route, so that the time does not tell how a route is guarded.
	const isInPath = isSecretOf(route, pathSecret, crypto)
	if (!auth) return isInPath ? 'secret' : 'none'
	if (auth.proof === 'body') return 'in body'
	return auth
		.verify({ ...head, body: '' }, route.secrets, crypto)
		.then((isProven) => (isProven && pathSecret === undefined ? 'secret' : 'none'))
}

/** Whether a text is one of the secrets. All of them are compared, so that the time does not tell which one it is. */
export function isSecretOf({ secrets }: Route, given = '', crypto: Crypto): boolean {
	return secrets.map((secret) => crypto.equal(given, secret)).includes(true)
}

function answerSetUp({ setUpAdapters }: PreparedRoute, call: WireRequest): Answered | undefined {
	try {
		for (const adapter of setUpAdapters) {
			const answer = adapter.challenge?.(call)
			if (answer) return { answer }
		}
		return undefined
	} catch (thrown) {
		if (thrown instanceof GatewayError) return refuse(thrown)
		throw thrown
	}
}

/** The platform whose format a call has. Throws `format-not-recognised`, or the fault that every format finds in it. */
export function recognise({ platforms }: PreparedRoute, call: WireRequest): NamedAdapter {
	const [first, ...others] = platforms
	if (others.length === 0) return first
	const platform = platforms.find(({ adapter }) => adapter.recognises?.(call))
	if (platform) return platform
	// If every format finds the same fault, the call is broken, and that fault says more than that no format knows it.
	const faults = platforms.map(({ adapter }) => faultOf(() => adapter.event.decode(call)))
	const [fault] = faults
	if (fault && faults.every((each) => isSame(each, fault))) throw fault
	throw new GatewayError('format-not-recognised')
}

function isSame(one: GatewayError | undefined, other: GatewayError): boolean {
	return one?.code === other.code && one.context.field === other.context.field
}

function faultOf(decode: () => unknown): GatewayError | undefined {
	try {
		decode()
		return undefined
	} catch (thrown) {
		return asGatewayError(thrown)
	}
}
