/**
 * Two gateways on one PostgreSQL, to try what happens when one of them dies: `npm run two-nodes`. They listen on PORT (8781)
 * and the port after it. The database is that of DATABASE_URL, or one of its own that is gone in the end.
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { choices, createBackend, reply } from '../src/backend/index.ts'
import { renderLogLine } from '../src/node/terminal-log.ts'
import { conversing } from '../test/harness/platforms.ts'
import { startPostgres } from '../test/harness/postgres.ts'
import { folder, type Scope } from '../test/harness/scope.ts'
import { has } from '../test/tools.ts'

const program = fileURLToPath(new URL('../src/node/main.ts', import.meta.url))
const port = Number(process.env.PORT ?? 8781)
const ports = [port, port + 1] as const

/** A platform that reads no answer, and what makes the simulator play it. */
const { factory, options } = conversing
const silent = factory.name
const played = Object.entries(Object(options)).map(([name, value]) => ` --option ${name}=${value}`)

/** Milliseconds that the backend takes for the text "slow". */
const slow = 30_000

const ends: (() => unknown)[] = []
const scope: Scope = { after: (end) => void ends.push(end) }
let ending: Promise<never> | undefined

async function endAll(code: number): Promise<never> {
	for (const end of ends.splice(0).reverse()) await end()
	process.exit(code)
}
const end = (code: number): Promise<never> => (ending ??= endAll(code))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(0))

/** A backend that prints what it gets. It answers "slow" after half a minute, but at once when it comes again. */
async function startBackend(): Promise<string> {
	const seen = new Set<string>()
	const backend = createBackend({
		keys: undefined,
		async answer({ text, choice }, { id }) {
			const again = seen.has(id)
			seen.add(id)
			console.log(`Backend: ${choice ? `the choice ${choice.value}` : text}${again ? ', again' : ''}`)
			if (text === 'slow' && !again) await wait(slow)
			if (choice) return `You chose ${choice.label}.`
			const colours = ['Red', 'Green'].map((title) => ({ title, value: title.toLowerCase() }))
			return text === 'choices' ? reply(choices('Which colour do you like?', colours)) : `You said: ${text}`
		},
	})
	const server = createServer(backend.node)
	await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
	scope.after(() => {
		server.close()
		server.closeAllConnections()
	})
	const address = server.address()
	return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`
}

/** The database of DATABASE_URL, or one of its own. */
async function openDatabase(): Promise<string> {
	if (process.env.DATABASE_URL) return process.env.DATABASE_URL
	if (has('initdb') && has('postgres')) return (await startPostgres(scope)).database()
	console.error(
		'There is no PostgreSQL: install its server (Debian and Ubuntu: apt-get install postgresql; macOS: brew install postgresql), or set DATABASE_URL.',
	)
	return end(1)
}

/** Starts the program, with its log on our standard output. */
function run(name: string, env: NodeJS.ProcessEnv, ...args: string[]) {
	const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
	/** Its exit code; null when a signal ended it. */
	const ended = new Promise<number | null>((done) => child.once('close', done))
	scope.after(async () => {
		child.kill()
		await ended
	})
	createInterface(child.stdout).on('line', (line) => console.log(`${name}: ${inWords(line)}`))
	let said = ''
	const listening = new Promise<'listening'>((done) => {
		child.stderr.setEncoding('utf8').on('data', (text: string) => {
			said += text
			if (/^Listening on /m.test(said)) done('listening')
		})
	})
	return { name, pid: child.pid, ended, listening, said: () => said }
}

/** A line of the log as a terminal shows it; what is not from the log, as it is. */
function inWords(line: string): string {
	if (!line.startsWith('{')) return line
	const { time, ...rest } = JSON.parse(line)
	return renderLogLine(rest, new Date(time))
}

const database = await openDatabase()
const stored = { postgres: { env: 'DATABASE_URL' } }
const config = {
	upstream: { url: await startBackend(), timeout: 2 * slow },
	outbox: stored,
	state: stored,
	routes: ['canonical', silent].map((platform) => ({ name: platform, path: `/${platform}`, platform })),
}
const file = join(folder(scope), 'gateway.json')
writeFileSync(file, JSON.stringify(config, null, '\t'))
const env = { ...process.env, DATABASE_URL: database, DRAGOMAN_CONFIG: file }

const migration = run('Migration', env, 'outbox', 'migrate')
if ((await migration.ended) !== 0) {
	console.error(migration.said())
	await end(1)
}
const nodes = ports.map((port, i) => run(`Node ${i + 1}`, { ...env, PORT: `${port}` }))
for (const { name, ended, listening, said } of nodes) {
	if ((await Promise.race([ended, listening])) === 'listening') continue
	console.error(`${name} did not start: ${said()}`)
	await end(1)
}
for (const { name, ended } of nodes) {
	ended.then(() => ending ?? console.log(`${name} has ended. The other one delivers what it had accepted.`))
}

const [one, two] = ports.map((port) => `http://127.0.0.1:${port}`)
console.log(`
Node 1 is process ${nodes[0]?.pid}, on ${one}.
Node 2 is process ${nodes[1]?.pid}, on ${two}.

In another terminal, one conversation at both:
  npm run simulate -- canonical --url ${one}/canonical --conversation c1 --text choices
  npm run simulate -- canonical --url ${two}/canonical --conversation c1 --text Red

The same call at both, which the backend gets once:
  for port in ${ports.join(' ')}; do curl http://127.0.0.1:$port/canonical -H 'content-type: application/json' -d '{ "version": 1, "event": { "id": "m1", "kind": "message", "conversation": "c1", "text": "Hello" } }'; echo; done

Three events that are stored before they are acknowledged, at Node 1. The backend needs half a minute for the first:
  printf 'slow\\ntwo\\nthree\\n' | npm run simulate -- ${silent} --url ${one}/${silent}${played.join('')}

Meanwhile, kill the Node that delivers them, and watch the other:
  kill -9 ${nodes[0]?.pid}

Ctrl-C ends both Nodes${process.env.DATABASE_URL ? '' : ', and deletes the database'}.
`)
