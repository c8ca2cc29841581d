/**
 * Builds the files that the pages of the playground load. All of them come from this repository and its packages, so that
 * the pages ask nobody else.
 */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import * as v from 'valibot'

const root = fileURLToPath(new URL('..', import.meta.url))
const from = join(root, 'src/playground/browser')

/** Puts the files into a folder, which has nothing else afterwards. */
export async function bundlePlayground(to: string): Promise<void> {
	await rm(to, { recursive: true, force: true })
	await mkdir(to, { recursive: true })

	const { metafile } = await build({
		entryPoints: ['talk.tsx', 'preview.tsx', 'live.tsx', 'events.tsx', 'contract.ts'].map((file) => join(from, file)),
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
		// The switches of Vue, in which Scalar is written.
		define: {
			__VUE_OPTIONS_API__: 'true',
			__VUE_PROD_DEVTOOLS__: 'false',
			__VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
		},
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
	const styles = { playground: join(from, 'playground.css'), scalar: '@scalar/api-reference/style.css' }
	await build({ entryPoints: styles, outdir: to, bundle: true, minify: true, logLevel: 'warning', absWorkingDir: root })
	await copyFile(join(from, 'icon.svg'), join(to, 'icon.svg'))
	await writeFile(join(to, 'licences.txt'), await licencesOf(Object.keys(metafile.inputs)))
}

/** Licences under which a package may be passed on as a part of the bundle. */
const passedOn = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD']

const Manifest = v.object({ name: v.string(), version: v.string(), license: v.picklist(passedOn) })

/** The licences of the packages that are in the bundle, which ask to be passed on with it. Throws if one is of another kind. */
async function licencesOf(files: readonly string[]): Promise<string> {
	const packages = new Set(files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []))
	const texts = [...packages].sort().map(async (folder) => {
		const { name, version, license } = v.parse(
			Manifest,
			JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')),
			{ message: `${folder} has no licence that is known here.` },
		)
		const file = (await readdir(join(root, folder))).find((each) => /^licen[cs]e/i.test(each))
		const text =
			file === undefined
				? 'Its package has no copy of the licence.\n'
				: await readFile(join(root, folder, file), 'utf8')
		return `${name} ${version}: ${license}\n\n${text}`
	})
	return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`)
}
