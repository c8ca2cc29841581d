/** A dialogue between a simulated user and a webhook: what the user does, and what it prints. */
import { conversationApis } from '../../../adapters/simulated-apis.ts'
import { type Adapter, type AdapterFactory, compact } from '../../format/index.ts'
import { type CanonicalReply, type Change, type Choice, emptyReply } from '../../model/index.ts'
import { keysOf } from '../../schema/index.ts'
import {
	describeChange,
	Refused,
	renderReply,
	type SimulatedTurn,
	selectableOptions,
	simulate,
	type UserAction,
} from '../../simulator/index.ts'
import { UsageError } from '../commands/usage-error.ts'
import { createRuntime } from '../node-runtime.ts'
import { apiOf, listen } from './api.ts'
import { renderAnswer, renderApiCall, renderCall } from './render-http.ts'
import { sendCall } from './send-call.ts'

/** Who talks to whom, and what is printed. */
export interface DialogueOptions {
	readonly factory: AdapterFactory
	readonly adapter: Adapter
	readonly url: string
	readonly secret?: string
	readonly conversation?: string
	readonly defaultReply?: string
	/** Also print the HTTP messages. */
	readonly raw: boolean
	/** Also print all else that the platform has no field for, beside what the user says. */
	readonly verbose: boolean
	/** Print a line of JSON a turn, instead of what the user sees. */
	readonly json: boolean
	/** The port of the API for conversations. Absent: none is served. */
	readonly apiPort?: number
}

/** A dialogue that goes on. */
export interface Dialogue {
	/** Rejects with `Refused` if the platform would refuse the answer; what the user sees then has been printed. */
	act(action: UserAction): Promise<void>
	/** Selects an option of the last answer; where an API is served, waits for options. Rejects as `act`, or with a UsageError. */
	choose(number: number): Promise<void>
	/** How many options the user can select now. */
	options(): number
	close(): Promise<void>
}

/** Opens a dialogue, and the platform's API if there is to be one. */
export async function openDialogue(options: DialogueOptions): Promise<Dialogue> {
	const { factory, adapter, url, raw, json, apiPort } = options
	const runtime = createRuntime(() => {})
	const screen = newScreen(json)
	const report = reporter(options)
	const api = apiPort === undefined ? undefined : apiOf(conversationApis, factory.name, 'for conversations')()
	const server =
		api &&
		(await listen(api, apiPort ?? 0, ({ response, seen, held }, call) => {
			if (raw) console.log(`${renderApiCall(call)}\n${renderAnswer(response, 'API: ')}`)
			if (seen) screen.show(seen, held)
		}))
	if (server) console.error(`The API of ${factory.name} listens on ${server.url}`)
	const { now, newId, crypto } = runtime
	const lent = { send: sendCall, now, newId, crypto, ...(api && { admit: api.admit }) }
	let last: SimulatedTurn | undefined

	const act = async (action: UserAction): Promise<void> => {
		const { secret, conversation, defaultReply } = options
		const where = compact({ url, secret, conversation, defaultReply })
		const same = last && {
			...compact({ conversation: last.event.conversation, user: last.event.user?.id }),
			handshake: false,
		}
		try {
			last = await simulate(adapter, { ...lent, ...where, url, ...same, ...action })
		} catch (thrown) {
			if (thrown instanceof Refused) printRefusal(thrown, options)
			throw thrown
		}
		report(last)
		if (raw) console.log(`${renderCall(last.call, url)}\n${renderAnswer(last.answer)}`)
		if (json) console.log(JSON.stringify(asJson(last)))
		if (last.reply) screen.show(last.reply, last.held)
		else if (!json) console.log('(the platform reads no answer)')
	}
	return {
		act,
		async choose(number) {
			const { options, held } = server ? await screen.awaited() : screen.shown()
			const choice = pressed(options, number)
			if (!json) console.log(`> ${choice.label}`)
			await act({ choice, held: held.get(choice.value) })
		},
		options: () => screen.shown().options.length,
		async close() {
			await server?.close()
			await runtime.close()
		},
	}
}

/** What the user can press, and what the buttons of these values hold, where that is more than the value. */
interface Offered {
	readonly options: readonly Choice[]
	readonly held: ReadonlyMap<string, string>
}

/** What the user sees, in the order in which it comes. */
interface Screen {
	show(reply: CanonicalReply, held?: Offered['held']): void
	/** The options of the last reply. */
	shown(): Offered
	/** The options of the last reply that had any, each once; waits for one. */
	awaited(): Promise<Offered>
}

const nothing: Offered = { options: [], held: new Map() }

function newScreen(isQuiet: boolean): Screen {
	let newest = nothing
	let last: Offered | undefined
	let wake = (): void => {}
	return {
		show(reply, held = nothing.held) {
			if (!isQuiet) console.log(renderReply(reply))
			newest = { options: selectableOptions(reply), held }
			if (newest.options.length > 0) last = newest
			wake()
		},
		shown: () => newest,
		async awaited() {
			for (;;) {
				const shown = last
				last = undefined
				if (shown) return shown
				await new Promise<void>((seen) => (wake = seen))
			}
		},
	}
}

function asJson({ event, lost, reply, unread }: SimulatedTurn) {
	return { event, lost, reply: reply ?? null, unread }
}

function printRefusal(refused: Refused, { raw, json }: DialogueOptions): void {
	const { message, answer, defaultReply } = refused
	if (raw && answer) console.log(renderAnswer(answer))
	if (json) {
		console.log(JSON.stringify({ refused: message, answer, defaultReply }))
		return
	}
	console.error(message)
	if (defaultReply) console.log(renderReply({ ...emptyReply, messages: defaultReply }))
	if (answer?.status === 404) console.error('404: wrong path, or missing or wrong secret (--secret-env NAME)')
}

/** Reports what the platform cannot express, and what it does not read: each thing once. */
function reporter({ factory, verbose, json }: DialogueOptions): (turn: SimulatedTurn) => void {
	const said = new Set<string>()
	return (turn) => {
		if (json) return
		const lines = [
			// What else is lost is how the platform is, and no news.
			...turn.lost
				.filter(({ feature }) => verbose || feature === 'event.text')
				.map((change) => describeLoss(change, factory)),
			...hintsOf(turn, factory),
			...turn.unread.map((path) => `${factory.name} does not read ${path}`),
		]
		for (const line of lines.filter((line) => !said.has(line))) {
			said.add(line)
			console.error(line)
		}
	}
}

function describeLoss(change: Change, { name }: AdapterFactory): string {
	return `${name} has no field for ${describeChange(change)}`
}

/** What is lost because an option is not set that says where it stands. */
function hintsOf({ lost }: SimulatedTurn, { name, options }: AdapterFactory): string[] {
	return lost.flatMap(({ did, feature }) => {
		const field = feature.slice(feature.lastIndexOf('.') + 1)
		if (did !== 'dropped' || !keysOf(options).includes(field)) return []
		return `the option "${field}" of ${name} names the field for it, for example --option ${field}=question`
	})
}

function pressed(options: readonly Choice[], number: number): { value: string; label: string } {
	const choice = options[number - 1]
	if (!choice) throw new UsageError(`The answer has ${options.length} options; ${number} is not one of them.`)
	if ('value' in choice) return { value: choice.value, label: choice.title }
	throw new UsageError(
		`"${choice.title}" jumps to ${choice.target} in the bot's own flow and does not call the webhook.`,
	)
}
