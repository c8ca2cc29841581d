/** The command `dragoman outbox`: lists stored events, and puts back or deletes them. */
import { parseArgs } from 'node:util'
import { ConfigError, type OutboxSettings } from '../../config/index.ts'
import type { Delivery } from '../../runtime.ts'
import { redactDelivery } from '../../turn/index.ts'
import { didYouMean } from '../commands/usage-error.ts'
import { writtenCommand } from '../written-command.ts'
import { openRecords } from './open-records.ts'
import type { Progress } from './portions.ts'
import type { EventFilter, Records, Row } from './records.ts'

export const outboxHelp = `Usage: dragoman outbox COMMAND [OPTIONS]

Inspects and manages the stored events of the configured outbox, also while the gateway is running. A command that is
interrupted has done a part of its work; run it again to do the rest.

  list                       list stored events, oldest first, without their content
  show ID                    show an event and its content, with secrets redacted
  redrive ID | --all         put dead letters back, to be delivered like new events
  drop ID | --all            delete events, delivered or not; --all requires --state
  erase --conversation ID    delete everything of a conversation, by the platform's id for it
  accept-lost-log            go on without the log (-wal) that is missing beside the file
  migrate                    create the tables in each PostgreSQL database of the configuration, also in that of
                             the state, or bring them up to date

  --state STATE              only events that are waiting, delivered or dead
  --route NAME               only events of this route
  --limit N                  maximum number of events to list (default 100)
  --json                     list, show, migrate: print JSON
  --config FILE              the configuration (default: DRAGOMAN_CONFIG, or config/gateway.json)

Examples:

  ${writtenCommand('outbox list --state dead')}
  ${writtenCommand('outbox redrive --all --route shop')}

Exit codes: 0 success, 1 no such event, 2 wrong usage, 69 the outbox or a database cannot be used, 78 the configuration
has mistakes.`

const exit = { ok: 0, nothing: 1, usage: 2 }

class UsageError extends Error {}

/** Whether the arguments ask for the help, for which there need not be an outbox. */
export function asksForHelp(args: readonly string[]): boolean {
	return args.length === 0 || args.includes('--help')
}

/**
 * Runs a command and prints its result with `say`, and once a second with `report` how far it is. Returns the exit code.
 * Rejects with an OutboxError or a DatabaseUnusable.
 */
export async function runOutbox(
	args: readonly string[],
	settings: OutboxSettings,
	say: (line: string) => void,
	report: (line: string) => void = () => {},
): Promise<number> {
	let given: Given
	try {
		given = read(args)
	} catch (thrown) {
		if (!(thrown instanceof UsageError)) throw thrown
		say(`${thrown.message}\n\n${outboxHelp}`)
		return exit.usage
	}
	if (given.command === 'help') {
		say(outboxHelp)
		return exit.ok
	}
	if (given.command === 'accept-lost-log') {
		if (!('file' in settings)) throw new ConfigError(['outbox: has no "file", which this command needs'])
		const { acceptLostLog } = await import('./admin.ts')
		const accepted = acceptLostLog(settings)
		say(accepted ? 'The outbox goes on without its log. The gateway can be started.' : 'The log is not missing.')
		return accepted ? exit.ok : exit.nothing
	}
	const records = await openRecords(settings)
	try {
		return await commands[given.command](records, given, say, eachSecond(report))
	} finally {
		await records.close()
	}
}

interface Given {
	readonly command: Command | 'accept-lost-log' | 'help'
	readonly which: EventFilter
	readonly conversation: string
	readonly limit: number
	readonly json: boolean
}

type Command = 'list' | 'show' | 'redrive' | 'drop' | 'erase'
type Run = (records: Records, given: Given, say: (line: string) => void, progress: Progress) => Promise<number>

const commands: { readonly [C in Command]: Run } = {
	async list(records, { which, limit, json }, say) {
		const events = await records.list(which, limit)
		const counts = await records.counts()
		if (json) {
			say(JSON.stringify({ events, counts: Object.fromEntries(counts) }, null, 2))
			return exit.ok
		}
		for (const row of events) say(lineOf(row))
		const counted = counts.map(([state, count]) => `${count} ${state}`)
		say(counted.join(', ') || 'no stored events')
		return exit.ok
	},
	async show(records, { which, json }, say) {
		const [row] = await records.list(which, 1)
		if (!row) return none(say)
		const stored: Delivery = JSON.parse((await records.payload(row.id)) ?? 'null')
		const delivery = redactDelivery(stored)
		if (!json) say(lineOf(row))
		say(JSON.stringify(json ? { ...row, delivery } : delivery, null, 2))
		return exit.ok
	},
	async redrive(records, { which }, say, progress) {
		return conclude(await records.redrive({ state: 'dead', ...which }, progress), 'put back', say)
	},
	async drop(records, { which }, say, progress) {
		return conclude(await records.drop(which, progress), 'deleted', say)
	},
	async erase(records, { conversation }, say, progress) {
		const { erased, left } = await records.erase(conversation, progress)
		if (left !== undefined) say(left)
		return conclude(erased, 'erased', say)
	},
}

/** Reports what lasts for longer than a second. */
function eachSecond(report: (line: string) => void): Progress {
	let reportedAt = performance.now()
	return (done, of, waits = false) => {
		if (performance.now() - reportedAt < 1000) return
		reportedAt = performance.now()
		report(`${done} of ${of} events${waits ? '; waiting for a program that is reading the outbox' : ''}`)
	}
}

function read(args: readonly string[]): Given {
	const { values, positionals } = parseCommand(args)
	const [name, id, ...others] = positionals
	if (values.help || name === undefined) return { command: 'help', which: {}, conversation: '', limit: 0, json: false }
	if (name !== 'accept-lost-log' && !isCommand(name)) {
		const known = [...Object.keys(commands), 'accept-lost-log', 'migrate']
		throw new UsageError(`Unknown command "${name}"${didYouMean(name, known)}`)
	}
	const { state, route, all, conversation, limit, json } = values
	const byId = name === 'show' || name === 'redrive' || name === 'drop'
	if (others.length > 0 || (!byId && id !== undefined)) throw new UsageError('Unexpected argument.')
	if (byId && (id === undefined) !== (all && name !== 'show'))
		throw new UsageError('Give the ID of one event, or --all.')
	if (name === 'drop' && all && state === undefined) throw new UsageError('drop --all requires --state.')
	if (state !== undefined && !['waiting', 'delivered', 'dead'].includes(state)) {
		throw new UsageError('--state must be waiting, delivered or dead.')
	}
	if ((name === 'erase') !== (conversation !== undefined))
		throw new UsageError('--conversation is required by erase, and only erase accepts it.')
	if (!/^[1-9]\d{0,6}$/.test(limit)) throw new UsageError('--limit must be a number.')
	const which = {
		...(id !== undefined && { id }),
		...(state !== undefined && { state }),
		...(route !== undefined && { route }),
	}
	return { command: name, which, conversation: conversation ?? '', limit: Number(limit), json }
}

function parseCommand(args: readonly string[]) {
	try {
		return parseArgs({
			args: [...args],
			allowPositionals: true,
			options: {
				state: { type: 'string' },
				route: { type: 'string' },
				conversation: { type: 'string' },
				limit: { type: 'string', default: '100' },
				all: { type: 'boolean', default: false },
				json: { type: 'boolean', default: false },
				help: { type: 'boolean', default: false },
			},
		})
	} catch (cause) {
		throw new UsageError(cause instanceof Error ? cause.message : String(cause))
	}
}

function isCommand(name: string): name is Command {
	return Object.hasOwn(commands, name)
}

function lineOf({ id, route, state, underWay, attempts, acceptedAt, nextAt, error, bytes }: Row): string {
	const next = state === 'waiting' && !underWay ? `next ${nextAt === 0 ? 'now' : momentOf(nextAt)}` : undefined
	const parts = [
		id,
		route,
		underWay ? 'in progress' : state,
		`${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`,
		`accepted ${momentOf(acceptedAt)}`,
	]
	return [...parts, next, error, `${bytes} bytes`].filter((part) => part !== undefined).join('  ')
}

function momentOf(milliseconds: number): string {
	return new Date(milliseconds).toISOString()
}

function none(say: (line: string) => void): number {
	say('No such event.')
	return exit.nothing
}

function conclude(count: number, done: string, say: (line: string) => void): number {
	if (count === 0) return none(say)
	say(`${count === 1 ? '1 event' : `${count} events`} ${done}.`)
	return exit.ok
}
