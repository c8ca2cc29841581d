/** The commands of docs/command-line.md, in the order of the page, in one empty folder. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { commands } from '../../src/node/commands/index.ts'
import { dragoman, type Run } from '../harness/command.ts'
import { environment, program } from '../harness/gateway.ts'
import { pageAt } from '../pages.ts'
import { folderWith, inside } from './run.ts'

const { block } = pageAt('docs/command-line.md')

/** The arguments of the commands in a block. */
function argumentsIn(name: string): string[][] {
	return block(name)
		.split('\n')
		.map((line) => {
			const [npx, program, ...args] = line.split(' ')
			expect([npx, program]).toEqual(['npx', 'dragoman'])
			return args
		})
}

test('each command does what the page says', { timeout: 60_000 }, async () => {
	const { path, remove } = folderWith({ 'reply.json': block('reply.json'), 'hello.json': block('hello.json') })
	onTestFinished(remove)
	const run = async (name: string, env = {}): Promise<Run> => {
		let last: Run = { code: null, out: '', err: '' }
		for (const args of argumentsIn(name)) {
			last = await dragoman(args, { cwd: path, env })
			expect(last).toMatchObject({ code: 0, err: '' })
		}
		return last
	}
	expect((await run('first steps')).out).toContain('config/gateway.json: 2 routes, no mistakes')

	const [args = []] = argumentsIn('start')
	const child = spawn(process.execPath, [program, ...args], { cwd: path, env: { ...environment, PORT: '0' } })
	const ended = new Promise((done) => child.once('close', done))
	onTestFinished(async () => {
		child.kill()
		await ended
	})
	let said = ''
	child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
	await expect.poll(() => said).toMatch(/Listening on \S+:\d+\n/)
	const port = /Listening on \S+:(\d+)\n/.exec(said)?.[1] ?? ''
	expect((await run('simulate', { PORT: port })).out).toContain('> Red\nYou chose Red.\n')

	expect((await run('preview')).out).toContain('lamp.png')
	expect((await run('replay')).out).toBe(`${block('replayed')}\n`)
	const [toBackend = []] = argumentsIn('replay backend')
	const expected = { code: 1, out: `${block('replayed backend')}\n`, err: '' }
	expect(await dragoman(toBackend, { cwd: path })).toEqual(expected)

	expect(await dragoman(['new-adapter', 'my-platform'], { cwd: path })).toMatchObject({ code: 0 })
	// Outside of a folder where the package is installed.
	const index = join(path, 'my-platform/index.ts')
	const canonical = new URL('../../adapters/canonical/index.ts', import.meta.url).href
	writeFileSync(
		index,
		`import { canonical } from '${canonical}'\nexport const own = { ...canonical, name: 'my-platform' }`,
	)
	writeFileSync(join(path, 'config/gateway.json'), block('own adapter'))
	expect(await dragoman(['check'], { cwd: path })).toMatchObject({ code: 0, err: '' })
})

test('every example of a help is a command that exists, with options that it knows', async () => {
	for (const { name } of commands) {
		const { out } = await inside([name, '--help'])
		const help = out.slice(out.indexOf('Examples:'))
		const lines = help.split('\n').filter((line) => /^ {2}\S/.test(line) && !line.startsWith('  #'))
		expect(lines.length).toBeGreaterThan(0)
		for (const line of lines) {
			// As it is written in a clone.
			const [written, given = ''] = /\bnpm run -s dragoman --(.*)$/.exec(line) ?? []
			expect(written, line).toBeDefined()
			const [command = 'start', ...args] = given
				.trim()
				.split(' ')
				.filter((part) => part !== '')
			expect(commands.map((each) => each.name)).toContain(command)
			for (const [option] of args.join(' ').matchAll(/--[a-z][a-z-]*/g)) {
				expect((await inside([command, '--help'])).out).toContain(option)
			}
		}
	}
})
