/** Images built from the Containerfile and run, with buildah alone: no daemon, no registry, and a storage of its own. */
import { execFileSync, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { path } from '../tools.ts'
import { run } from './front.ts'

/** What an image says of how it is run. */
interface ImageConfig {
	readonly Entrypoint: readonly string[]
	readonly User: string
	readonly WorkingDir: string
	readonly Env: readonly string[]
}

interface RunOptions {
	/** Instead of the image's own. */
	readonly entrypoint?: readonly string[]
	readonly env: { readonly [name: string]: string }
	/** What is mounted: `here:there:options`. */
	readonly volumes?: readonly string[]
}

export interface Images {
	/**
	 * Builds the recipe, with npm's cache and registry of this machine; the name of the image. Undefined: a machine as busy as
	 * this one needs more than two minutes for it.
	 */
	build(recipe: string, context: string): Promise<string | undefined>
	config(image: string): ImageConfig
	/** The program of a container of this image, in the network of this machine, until the test ends. */
	run(image: string, options: RunOptions): ReturnType<typeof run>
	/** Runs a command in a container of its own; its exit code. */
	exitCode(image: string, command: readonly string[], options: RunOptions): number | null
}

interface Built {
	readonly status: number | null
	readonly said: string
}

/**
 * Images whose base is made here, under the name that the recipe gives it: this Node, npm, a shell and the libraries of this
 * machine. So all steps of a recipe run without a registry. A text: why it cannot be done here.
 */
export function imagesOn(base: string): Images | string {
	const at = mkdtempSync(join(tmpdir(), 'dragoman-image-'))
	const settings = ['--root', join(at, 'storage'), '--runroot', join(at, 'running'), '--storage-driver', 'overlay']
	const call = (...args: readonly string[]) => buildah([...settings, ...args], at)
	onTestFinished(() => {
		call('rm', '--all')
		rmSync(at, { recursive: true, force: true })
	})
	const tree = join(at, 'base')
	makeBase(tree)
	const from = call('from', '--pull-never', 'scratch')
	if (from.status !== 0) return `buildah cannot work here: ${lastLine(from)}`
	const container = from.stdout.trim()
	for (const args of [
		['copy', '--quiet', container, tree, '/'],
		['commit', '--quiet', '--rm', container, base],
	]) {
		const made = call(...args)
		if (made.status !== 0) return `buildah cannot work here: ${lastLine(made)}`
	}

	const npmrc = join(at, 'npmrc')
	const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim()
	writeFileSync(npmrc, `prefer-offline=true\nregistry=${registry}\n`)
	const cache = execFileSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).trim()

	const started = (image: string) => {
		const { status, stdout, stderr } = call('from', '--pull-never', image)
		if (status !== 0) throw new Error(stderr)
		return stdout.trim()
	}
	const config = (image: string): ImageConfig =>
		JSON.parse(call('inspect', '--type', 'image', image).stdout).OCIv1.config
	const commandOf = (container: string, command: readonly string[], { env, volumes = [] }: RunOptions) => [
		...settings,
		...['run', '--isolation=chroot'],
		...Object.entries(env).map(([name, value]) => `--env=${name}=${value}`),
		...volumes.map((volume) => `--volume=${volume}`),
		...[container, '--', ...command],
	]
	return {
		async build(recipe, context) {
			const image = 'localhost/dragoman'
			const mounts = [`--volume=${npmrc}:/root/.npmrc:ro`, `--volume=${cache}:/root/.npm`]
			const how = ['--isolation=chroot', '--network=host', '--pull-never', '--format=docker', ...mounts]
			const built = await build([...settings, 'build', ...how, '--file', recipe, '--tag', image, context], at, 120)
			if (built === undefined) return undefined
			if (built.status !== 0) throw new Error(`the image cannot be built:\n${built.said}`)
			return image
		},
		config,
		run(image, options) {
			const command = options.entrypoint ?? config(image).Entrypoint
			return run('buildah', commandOf(started(image), command, options))
		},
		exitCode(image, command, options) {
			return buildah(commandOf(started(image), command, options), at).status
		},
	}
}

function buildah(args: readonly string[], folder: string): SpawnSyncReturns<string> {
	return spawnSync('buildah', args, { encoding: 'utf8', env: { ...process.env, PATH: path, TMPDIR: folder } })
}

/** Runs a build that may take some seconds, and ends it with all that it has started if it takes more: undefined. */
async function build(args: readonly string[], folder: string, seconds: number): Promise<Built | undefined> {
	const child = spawn('buildah', args, { env: { ...process.env, PATH: path, TMPDIR: folder } })
	let said = ''
	let late = false
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
	const timer = setTimeout(() => {
		late = true
		// The steps do not end with their parent.
		for (const pid of child.pid === undefined ? [] : [...descendantsOf(child.pid), child.pid])
			process.kill(pid, 'SIGKILL')
	}, seconds * 1000)
	const status = await new Promise<number | null>((done) => child.once('close', done))
	clearTimeout(timer)
	return late ? undefined : { status, said }
}

/** The ids of the processes that this one has started, and those that they have. */
function descendantsOf(pid: number): number[] {
	const lines = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
	const parents = new Map(
		lines.map((line) => line.trim().split(/ +/).map(Number)).map(([id = 0, parent = 0]) => [id, parent]),
	)
	const below = (id: number): number[] =>
		[...parents].filter(([, parent]) => parent === id).flatMap(([child]) => [child, ...below(child)])
	return below(pid)
}

function lastLine({ stderr, error }: SpawnSyncReturns<string>): string {
	return stderr?.trim().split('\n').at(-1) ?? `${error?.message}`
}

/** The part of a Debian with Node that the recipe uses, in a folder. */
function makeBase(tree: string): void {
	for (const folder of ['usr/local/bin', 'usr/local/lib/node_modules', 'usr/bin', 'bin', 'root', 'etc', 'tmp']) {
		mkdirSync(join(tree, folder), { recursive: true })
	}
	const programs = [process.execPath, ...['sh', 'env', 'mkdir', 'chown', 'rm'].map(placeOf)]
	copyFileSync(process.execPath, join(tree, 'usr/local/bin/node'))
	for (const program of programs.slice(1)) copyFileSync(program, join(tree, 'bin', basename(program)))
	symlinkSync('../../bin/env', join(tree, 'usr/bin/env'))
	const npm = dirname(dirname(realpathSync(placeOf('npm'))))
	cpSync(npm, join(tree, 'usr/local/lib/node_modules/npm'), { recursive: true })
	symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(tree, 'usr/local/bin/npm'))
	for (const program of programs) {
		const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/[^ ]+/g) ?? []
		for (const library of libraries) {
			mkdirSync(join(tree, dirname(library)), { recursive: true })
			copyFileSync(library, join(tree, library))
		}
	}
	writeFileSync(join(tree, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/tmp:/bin/sh\n')
	writeFileSync(join(tree, 'etc/group'), 'root:x:0:\nnode:x:1000:\n')
	writeFileSync(join(tree, 'etc/hosts'), '127.0.0.1 localhost backend\n')
}

function placeOf(program: string): string {
	return execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8', env: { PATH: path } }).trim()
}
