/**
 * Builds the files that the pages of the playground load. All of them come from this repository and its packages, so that
 * the pages ask nobody else.
 */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const from = join(root, 'src/playground/browser')
/** Puts the files into a folder, which has nothing else afterwards. */
export async function bundlePlayground(to: string): Promise<void> {
	await rm(to, { recursive: true, force: true })
	await mkdir(to, { recursive: true })

	const { metafile } = await build({
		entryPoints: ['talk.tsx', 'preview.tsx', 'live.tsx', 'events.tsx'].map((file) => join(from, file)),
		outdir: to,
		bundle: true,
		splitting: true,
		chunkNames: 'shared-[hash]',
		format: 'esm',
		target: 'es2024',
		minify: true,
		jsx: 'automatic',
		jsxImportSource: 'hono/jsx/dom',
		metafile: true,
		logLevel: 'warning',
		absWorkingDir: root,
	})
	// It runs before anything is painted, so it is no module.
	await build({
		entryPoints: [join(from, 'theme.ts')],
		outdir: to,
		bundle: true,
		format: 'iife',
		minify: true,
		logLevel: 'warning',
	})
	await build({ entryPoints: [join(from, 'playground.css')], outdir: to, minify: true, logLevel: 'warning' })
	await copyFile(join(from, 'icon.svg'), join(to, 'icon.svg'))
	await writeFile(join(to, 'licences.txt'), await licencesOf(Object.keys(metafile.inputs)))
}

/** The licences of the packages that are in the bundle, which ask to be passed on with it. */
async function licencesOf(files: readonly string[]): Promise<string> {
	const packages = new Set(files.flatMap((file) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []))
	const texts = [...packages].sort().map(async (folder) => {
		const licence = (await readdir(join(root, folder))).find((name) => /^licen[cs]e/i.test(basename(name)))
		if (licence === undefined) throw new Error(`${folder} has no licence.`)
		const name = folder.slice('node_modules/'.length)
		return `${name}\n\n${await readFile(join(root, folder, licence), 'utf8')}`
	})
	return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`)
}
