/** The recipe of the container, as far as it can be followed without a container engine: the build from what it copies, the program, its health. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ownTo } from '../harness/platforms.ts'
import { path } from '../tools.ts'
import { deployed, folder, freePort, run } from './front.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const recipe = deployed('container/Containerfile').replaceAll('\\\n', ' ')
const [building = '', running = ''] = recipe.split(/^FROM .+$/m).slice(1)
const instructions = (stage: string, name: string) =>
	[...stage.matchAll(RegExp(`^${name} (.+)$`, 'gm'))].map(([, rest = '']) => rest.trim())
const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')

const copies = instructions(building, 'COPY').map((line) => line.split(' '))

test('what it copies exists and is not ignored', () => {
	expect(copies.length).toBeGreaterThan(3)
	for (const sources of copies.map((words) => words.slice(0, -1))) {
		for (const source of sources) {
			expect([source, existsSync(join(root, source))]).toEqual([source, true])
			expect(ignored).not.toContain(source)
		}
	}
	for (const secret of ['.env', '.git', 'node_modules']) expect(ignored).toContain(secret)
})

test('it builds only from what it copies, and its program starts, is healthy, and ends', async () => {
	const at = folder()
	for (const words of copies) {
		const target = words.at(-1) ?? ''
		for (const source of words.slice(0, -1)) {
			const to = target.endsWith('/') ? join(at, target, source) : join(at, target)
			cpSync(join(root, source), to, { recursive: true })
		}
	}
	symlinkSync(join(root, 'node_modules'), join(at, 'node_modules'))
	const [build = ''] = instructions(building, 'RUN').filter((line) => line.includes('npm run build'))
	// What follows takes the tools away again, which are not ours to take.
	expect(build).toBe('npm run build && npm ci --omit=dev --ignore-scripts')
	execFileSync('npm', ['run', 'build'], { cwd: at, env: { PATH: `${dirname(process.execPath)}:${path}` } })

	const [command, program = ''] = JSON.parse(instructions(running, 'ENTRYPOINT')[0] ?? '[]')
	expect(command).toBe('node')
	const file = join(at, 'gateway.json')
	writeFileSync(file, JSON.stringify(ownTo('builtin:demo')))
	const port = String(await freePort())
	const env = { DRAGOMAN_CONFIG: file, HOST: '127.0.0.1', PORT: port }
	const inside = program.replace(/^\/app\//, `${at}/`)
	const health: string[] = JSON.parse(/CMD (\[.+\])$/m.exec(instructions(running, 'HEALTHCHECK')[0] ?? '')?.[1] ?? '[]')
	const healthy = () => spawnSync(process.execPath, health.slice(1), { env, timeout: 10_000 }).status
	expect(healthy()).toBe(1)
	const { ended, said } = run(process.execPath, [inside], env)
	await expect.poll(said, { timeout: 20_000 }).toContain('Listening on')
	expect([healthy(), ended()]).toEqual([0, false])
}, 90_000)

test('it runs without privileges, and declares where it writes', () => {
	expect(instructions(running, 'USER')).toEqual(['node'])
	expect(instructions(running, 'VOLUME')).toEqual(['/data'])
	expect(instructions(running, 'WORKDIR')).toEqual(['/data'])
	expect(instructions(running, 'STOPSIGNAL')).toEqual(['SIGTERM'])
	// As its last word on who it is: what follows runs as that user.
	expect(running.indexOf('\nUSER ')).toBeGreaterThan(running.lastIndexOf('\nRUN '))
	const [first, last] = [...recipe.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image)
	expect(first).toBe(last)
})
