/** The recipe of the container and its compose file: what they say, and both built and run where there is buildah. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { adapters } from '../../adapters/index.ts'
import { readConfig } from '../../src/config/index.ts'
import { ownTo } from '../harness/platforms.ts'
import { pageAt } from '../pages.ts'
import { has, path } from '../tools.ts'
import { folder, freePort, run } from './front.ts'
import { imagesOn } from './image.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const recipe = read('Containerfile').replaceAll('\\\n', ' ')
const [building = '', running = ''] = recipe.split(/^FROM .+$/m).slice(1)
const instructions = (stage: string, name: string) =>
	[...stage.matchAll(RegExp(`^${name} (.+)$`, 'gm'))].map(([, rest = '']) => rest.trim())
const ignored = read('.dockerignore').split('\n')
const page = pageAt('docs/deploy-node.md')

const copies = instructions(building, 'COPY').map((line) => line.split(' '))
const bases = [...recipe.matchAll(/^FROM (\S+)/gm)].map(([, image = '']) => image)
const health: string[] = JSON.parse(/CMD (\[.+\])$/m.exec(instructions(running, 'HEALTHCHECK')[0] ?? '')?.[1] ?? '[]')

test('what it copies exists and is not ignored', () => {
	expect(copies.length).toBeGreaterThan(3)
	for (const sources of copies.map((words) => words.slice(0, -1))) {
		for (const source of sources) {
			expect([source, existsSync(join(root, source))]).toEqual([source, true])
			expect(ignored).not.toContain(source)
		}
	}
	for (const secret of ['**/*.env', '.git', 'node_modules']) expect(ignored).toContain(secret)
})

test('both stages have the Node that the tests run on', () => {
	const { devDependencies } = JSON.parse(read('package.json'))
	expect(bases).toEqual(Array(2).fill(`node:${devDependencies.node}-bookworm-slim`))
})

test('it runs without privileges, and declares where it writes', () => {
	expect(instructions(running, 'USER')).toEqual(['node'])
	expect(instructions(running, 'VOLUME')).toEqual(['/data'])
	expect(instructions(running, 'WORKDIR')).toEqual(['/data'])
	expect(instructions(running, 'STOPSIGNAL')).toEqual(['SIGTERM'])
	// As its last word on who it is: what follows runs as that user.
	expect(running.indexOf('\nUSER ')).toBeGreaterThan(running.lastIndexOf('\nRUN '))
})

// Where there is buildah, the whole recipe is followed below.
test.skipIf(has('buildah'))(
	'it builds only from what it copies, and its program starts, is healthy, and ends',
	async () => {
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
		const healthy = () => spawnSync(process.execPath, health.slice(1), { env, timeout: 10_000 }).status
		expect(healthy()).toBe(1)
		const { ended, said } = run(process.execPath, [inside], env)
		await expect.poll(said, { timeout: 20_000 }).toContain('Listening on')
		expect([healthy(), ended()]).toEqual([0, false])
	},
	90_000,
)

/** A service of the compose file, as far as these tests look at it. */
interface Service {
	readonly build: { readonly context: string; readonly dockerfile: string }
	readonly image: string
	readonly entrypoint?: readonly string[]
	readonly environment: { readonly [name: string]: string }
	readonly env_file: readonly string[]
	readonly ports?: readonly string[]
	readonly volumes: readonly string[]
	readonly healthcheck: { readonly test: readonly string[] }
}
const compose: {
	readonly services: { readonly gateway: Service; readonly backend: Service }
	readonly volumes: object
} = parse(read('compose.yaml'), { merge: true })
const { gateway, backend } = compose.services

/** A command of the compose file, where a dollar sign is written twice. */
const commandOf = ({ healthcheck }: Service) => healthcheck.test.slice(1).map((word) => word.replaceAll('$$', '$'))

test('the compose file says of both services what they may do, and of the gateway what the image says', () => {
	for (const service of [gateway, backend]) {
		expect(service).toMatchObject({
			build: { context: '.', dockerfile: 'Containerfile' },
			read_only: true,
			cap_drop: ['ALL'],
			security_opt: ['no-new-privileges:true'],
			mem_limit: '1g',
		})
		for (const file of service.env_file) expect(page.block('secrets of compose')).toContain(`> ${file}\n`)
		for (const volume of service.volumes) {
			const [here = ''] = volume.split(':')
			if (here.startsWith('.')) expect([here, existsSync(join(root, here))]).toEqual([here, true])
			else expect(Object.keys(compose.volumes)).toContain(here)
		}
	}
	expect(commandOf(gateway)).toEqual(health)
	expect(gateway.ports).toEqual(['127.0.0.1:8787:8787'])
	expect([backend.ports, backend.env_file]).toEqual([undefined, ['backend.env']])
})

test.skipIf(!has('podman-compose'))('podman-compose reads the compose file', () => {
	expect(spawnSync('podman-compose', ['config'], { cwd: root, timeout: 20_000 }).status).toBe(0)
})

/** The files that the page's commands write, and what is in them. */
function secretsOfThePage(): { [name: string]: string } {
	const at = folder()
	const commands = page.block('secrets of compose')
	execFileSync('sh', ['-ec', commands], { cwd: at })
	return Object.fromEntries(
		gateway.env_file.flatMap((file) =>
			Object.entries(parseEnv(readFileSync(join(at, file), 'utf8'))).map(([name, value = '']) => [name, value]),
		),
	)
}

test('the configuration of the compose file is valid with the secrets that the page makes', () => {
	const config = JSON.parse(read(gateway.environment.DRAGOMAN_CONFIG?.replace('/config/', 'config/') ?? ''))
	expect(() => readConfig(config, { adapters, env: secretsOfThePage(), loopback: false })).not.toThrow()
	expect(config.upstream.url).toBe(`http://backend:${backend.environment.PORT}/`)
})

test.skipIf(!has('buildah'))(
	'the image is built, and the gateway and the backend in it serve a platform',
	async ({ skip }) => {
		const images = imagesOn(bases[0] ?? '')
		if (typeof images === 'string') return skip(images)
		const image = await images.build(join(root, 'Containerfile'), root)
		if (image === undefined) return skip('the image is not built within two minutes')
		expect(images.config(image)).toMatchObject({ User: 'node', WorkingDir: '/data' })

		const powerless = 'process.exit(process.getuid() === 1000 && !require("node:fs").existsSync("/build") ? 0 : 1)'
		expect(images.exitCode(image, ['node', '-e', powerless], { env: {} })).toBe(0)

		const secrets = secretsOfThePage()
		const [port, backendPort] = [String(await freePort()), String(await freePort())]
		const backendEnv = { ...backend.environment, PORT: backendPort, BACKEND_KEY: secrets.BACKEND_KEY ?? '' }
		const mounted = backend.volumes.map((volume) => volume.replace('./', `${root}/`))
		const backendRun = { entrypoint: backend.entrypoint ?? [], env: backendEnv, volumes: mounted }
		images.run(image, backendRun)
		await expect
			.poll(() => images.exitCode(image, commandOf(backend), { env: backendEnv }), { timeout: 60_000 })
			.toBe(0)

		// All containers are in the network of this machine here, so the backend has no name of its own.
		const at = folder()
		mkdirSync(join(at, 'config'))
		const config = JSON.parse(read('config/compose.json'))
		config.upstream.url = `http://127.0.0.1:${backendPort}/`
		writeFileSync(join(at, 'config/compose.json'), JSON.stringify(config))
		chmodSync(join(at, 'config'), 0o755)
		const env = { ...gateway.environment, ...secrets, HOST: '127.0.0.1', PORT: port }
		const { said, ended } = images.run(image, { env, volumes: [`${join(at, 'config')}:/config:ro`] })
		await expect.poll(said, { timeout: 60_000 }).toContain('Listening on')
		expect(images.exitCode(image, commandOf(gateway), { env })).toBe(0)

		const answer = await fetch(`http://127.0.0.1:${port}/chatbot?token=${secrets.CHATBOT_TOKEN}`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ chatId: 'chat-1', messageId: 'message-1', attributes: { question: 'Hi' } }),
		})
		expect(await answer.json()).toMatchObject({ responses: [{ message: 'Hello!' }, { type: 'quickReplies' }] })
		expect(ended()).toBe(false)
	},
	480_000,
)
