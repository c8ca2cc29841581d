/**
 * Our outbox in PostgreSQL beside pg-boss, on one server, each several times in turn: `node bench/outbox-in-postgres.ts`.
 * Its figures are those of decision 090. Needs the programs of PostgreSQL, and `npm ci` in bench/peers.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startPostgres } from '../test/harness/postgres.ts'

/** Events, those of a batch, their conversations, and bytes of each. */
const load = [12_000, 100, 500, 1000]
const rounds = 3

interface Figures {
	/** Milliseconds. */
	readonly accept: number
	readonly drain: number
	/** Of the process. */
	readonly cpu: number
	/** Events that came after a later one of their conversation. */
	readonly wrong: number
}

const programs = { ours: './our-outbox.ts', 'pg-boss': './peers/boss.mjs' }
const ends: (() => unknown)[] = []
const server = await startPostgres({ after: (end) => void ends.push(end) })
try {
	const figures: { [name: string]: Figures[] } = {}
	for (let round = 0; round < rounds; round++) {
		for (const [name, file] of Object.entries(programs)) {
			const args = [fileURLToPath(new URL(file, import.meta.url)), await server.database(), ...load.map(String)]
			const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 120_000 })
			figures[name] = [...(figures[name] ?? []), JSON.parse(stdout)]
		}
	}
	const [count = 0] = load
	for (const [name, all] of Object.entries(figures)) {
		const middle = (of: (each: Figures) => number) => all.map(of).toSorted((a, b) => a - b)[rounds >> 1] ?? 0
		const perSecond = (of: (each: Figures) => number) => Math.round((count / middle(of)) * 1000)
		const cpu = Math.round((middle((each) => each.cpu) / count) * 1000)
		const wrong = Math.max(...all.map((each) => each.wrong))
		console.log(
			`${name}: ${perSecond((each) => each.accept)} accepted/s, ${perSecond((each) => each.drain)} drained/s, ${cpu} µs of CPU an event, ${wrong} out of order`,
		)
	}
} finally {
	for (const end of ends) await end()
}
