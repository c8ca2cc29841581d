/** Imports modules anew after their files have changed: Node keeps a module for good under its URL. */
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** One round of imports. */
export interface FreshImports {
	/** Imports a module as it is now, with all that it imports by a relative path. Rejects as `import` does. */
	load(file: string): Promise<object>
	/** Paths of the files that were read for it, and of those that would have been. */
	readonly files: ReadonlySet<string>
}

let rounds = 0
/** By the URL of a module, the files of its round. */
const rounded = new Map<string, Set<string>>()

/**
 * Begins a round: its modules are shared within it, and with no other. Modules of earlier rounds stay in memory, as
 * nothing can unload them. CommonJS modules are never read again.
 */
export function freshImports(): FreshImports {
	if (rounds === 0) registerHooks({ resolve })
	const round = rounds++
	const files = new Set<string>()
	return {
		files,
		load(file) {
			const url = pathToFileURL(file)
			if (round > 0) url.search = `?round=${round}`
			files.add(file)
			rounded.set(url.href, files)
			return import(url.href)
		},
	}
}

type Resolve = NonNullable<Parameters<typeof registerHooks>[0]['resolve']>

/** Takes relative imports into the round of the module that has them. Packages are shared by all rounds. */
const resolve: Resolve = (specifier, context, next) => {
	const { parentURL } = context
	const files = parentURL === undefined ? undefined : rounded.get(parentURL)
	if (parentURL === undefined || !files || !/^\.{1,2}\//.test(specifier)) return next(specifier, context)
	// Also if there is no such file: it may come.
	files.add(fileURLToPath(new URL(specifier, parentURL)))
	const resolved = next(specifier, context)
	const url = new URL(resolved.url)
	url.search = new URL(parentURL).search
	rounded.set(url.href, files)
	return { ...resolved, url: url.href }
}
