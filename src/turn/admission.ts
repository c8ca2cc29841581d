/** Which calls begin a turn, and in which of the route's formats they are. */
import { asGatewayError, GatewayError } from '../errors.ts'
import {
	type Crypto,
	type NamedAdapter,
	problemResponse,
	type WireRequest,
	type WireResponse,
} from '../format/index.ts'
import { findLoop, readMarks } from './loop-detection.ts'
import type { PreparedRoute } from './prepared-route.ts'

/** A platform's call as the runtime handed it over. */
export interface Arrival {
	readonly call: WireRequest
	/** The path segment behind the route's path, where the secret of a platform without `auth` stands. */
	readonly pathSecret?: string | undefined
	/** When it was handed over, as `Runtime.elapsed`. */
	readonly at: number
	/** Why the body was not read; then the call has none. Only a call that proves its origin gets this answer. */
	readonly refusal?: GatewayError | undefined
}

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
 * that does not prove its origin (`not-found`), has another method (`method-not-allowed`), whose body was refused, or
 * that came through the route before (`loop-detected`).
 */
export async function admit(
	route: PreparedRoute,
	{ call, pathSecret, refusal }: Arrival,
	crypto: Crypto,
): Promise<Admitted | Answered> {
	if (!(await provesOrigin(route, call, pathSecret, crypto))) return refuse(new GatewayError('not-found'))
	const { methods: allowed } = route
	if (!allowed.includes(call.method)) return refuse(new GatewayError('method-not-allowed', { allowed }))
	if (refusal) return refuse(refusal)
	const setUp = answerSetUp(route, call)
	if (setUp) return setUp
	const marks = readMarks(call)
	const loop = await findLoop(marks, route, crypto)
	return loop ? refuse(loop) : { call, marks }
}

function refuse(refusal: GatewayError): Answered {
	return { answer: problemResponse(refusal), refusal }
}

async function provesOrigin(
	{ platforms, secrets }: PreparedRoute,
	call: WireRequest,
	pathSecret: string | undefined,
	crypto: Crypto,
): Promise<boolean> {
	const { auth } = platforms[0].adapter
	if (secrets.length === 0) return pathSecret === undefined
	// The path is compared on every route, so that the time does not tell how a route is guarded.
	const matches = await Promise.all(secrets.map((secret) => crypto.equal(pathSecret ?? '', secret)))
	if (!auth) return matches.includes(true)
	return (await auth.verify(call, secrets, crypto)) && pathSecret === undefined
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
	if (fault && faults.every((each) => each?.code === fault.code)) throw fault
	throw new GatewayError('format-not-recognised')
}

function faultOf(decode: () => unknown): GatewayError | undefined {
	try {
		decode()
		return undefined
	} catch (thrown) {
		return asGatewayError(thrown)
	}
}
