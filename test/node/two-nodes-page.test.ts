/** The commands of the README for two gateways, of which one is killed. */
import { execFile, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { freePort } from '../backends.ts'
import { environment } from '../harness/gateway.ts'
import { pageAt } from '../pages.ts'
import { has } from '../tools.ts'

const { block } = pageAt('README.md')
const root = fileURLToPath(new URL('../..', import.meta.url))

/** A port that nobody listens on, nor on the one after it. */
async function freePair(): Promise<number> {
	for (;;) {
		const port = await freePort()
		const next = createServer()
		const isFree = await new Promise<boolean>((done) => {
			next.once('error', () => done(false)).listen(port + 1, '127.0.0.1', () => done(true))
		})
		if (!isFree) continue
		await new Promise((done) => next.close(done))
		return port
	}
}

/** Shell commands, or a text with some in it, in one line. */
function inLine(text: string): string {
	return text
		.trim()
		.replaceAll(/\s*\\\n\s*/g, ' ')
		.replaceAll(/(?<=\bdo|\|)\n\s*/g, ' ')
		.replaceAll(/\n\s*/g, '; ')
}

test.skipIf(!has('postgres') || !has('curl'))(
	'two gateways do what the README says, also when one is killed',
	async () => {
		const port = await freePair()
		const env = { ...environment, HOME: process.env.HOME, PORT: `${port}`, NO_COLOR: '1', DATABASE_URL: '' }
		const nodes = spawn('npm', ['run', '--silent', 'two-nodes'], {
			cwd: root,
			env,
			stdio: ['ignore', 'pipe', 'pipe'],
			detached: true,
		})
		let said = ''
		for (const stream of [nodes.stdout, nodes.stderr]) stream.on('data', (chunk) => (said += chunk))
		const ended = new Promise((done) => nodes.once('close', done))
		onTestFinished(async () => {
			if (nodes.pid !== undefined && nodes.exitCode === null) process.kill(-nodes.pid, 'SIGINT')
			await ended
		})
		await expect.poll(() => said, { timeout: 60_000 }).toContain('Ctrl-C')
		const pid = /^Node 1 is process (\d+),/m.exec(said)?.[1] ?? ''
		/** A block with the ports and the process of this test. */
		const commandsOf = (name: string) =>
			block(name)
				.replaceAll('8781', `${port}`)
				.replaceAll('8782', `${port + 1}`)
				.replace('12345', pid)
		/** What a block prints in a shell. */
		async function printed(name: string): Promise<string> {
			const commands = commandsOf(name).replaceAll('npm run', 'npm run --silent')
			const { stdout } = await promisify(execFile)('sh', ['-ec', commands], { cwd: root, env })
			return stdout
		}
		const saidInLine = inLine(said)
		for (const name of ['one conversation at both', 'the same call at both', 'kill one']) {
			for (const command of inLine(commandsOf(name)).split(/; (?=kill)/)) expect(saidInLine).toContain(`; ${command};`)
		}
		const toBackend = () => [...said.matchAll(/^Backend: (.+)$/gm)].map(([, what]) => what)

		expect(await printed('one conversation at both')).toMatch(
			/^Which colour do you like\?\n(?:.+\n)+You chose Red\.\n$/,
		)
		const [first, second] = (await printed('the same call at both')).trim().split('\n')
		expect(first).toContain('You said: Hello')
		expect(second).toBe(first)
		await printed('kill one')
		await expect
			.poll(toBackend, { timeout: 20_000 })
			.toEqual(['choices', 'the choice red', 'Hello', 'slow', 'slow, again', 'two', 'three'])

		process.kill(-(nodes.pid ?? 0), 'SIGINT')
		expect(await ended).toBe(0)
	},
	180_000,
)
