/**
 * Builds the package's programs and entry points into dist/, each beside its declarations: `npm run build`. What they share
 * is in a few files, because Node takes longer to find and read hundreds of small modules than to run them.
 */
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import * as v from 'valibot'

const root = fileURLToPath(new URL('..', import.meta.url))

const Package = v.object({ exports: v.record(v.string(), v.union([v.string(), v.object({ default: v.string() })])) })

/** Programs that are started by their path, not imported by others. */
const programs = ['src/node/main.ts', 'src/node/outbox/store-thread.ts', 'src/node/outbox/counts-thread.ts']

/** The source of each entry point that the package exports. */
async function exported(): Promise<string[]> {
	const { exports } = v.parse(Package, JSON.parse(await readFile(join(root, 'package.json'), 'utf8')))
	return Object.values(exports).flatMap((entry) => {
		const [, path] = (typeof entry === 'string' ? '' : entry.default).match(/^\.\/dist\/(.+)\.js$/) ?? []
		return path === undefined ? [] : [`${path}.ts`]
	})
}

// One build for all of them, so that an adapter of one's own and the program share every module: errors are told by their class.
await build({
	entryPoints: [...(await exported()), ...programs],
	absWorkingDir: root,
	outbase: '.',
	outdir: 'dist',
	chunkNames: 'shared/[name]-[hash]',
	bundle: true,
	splitting: true,
	packages: 'external',
	// It must run before Node reads anything that it is too old for.
	external: ['*/require-node.cjs'],
	format: 'esm',
	platform: 'node',
	target: 'node24',
	logLevel: 'warning',
})

const node = (file: string): string => join(root, 'src/node', file)
const built = (file: string): string => join(root, 'dist/src/node', file)
await copyFile(node('require-node.cjs'), built('require-node.cjs'))
const bin = await readFile(node('dragoman.cjs'), 'utf8')
await writeFile(built('dragoman.cjs'), bin.replace('./main.ts', './main.js'), { mode: 0o755 })
