/** Loads the adapters of one's own that a configuration names: `"adapters": ["./my-platform.ts"]`. */
import { dirname, resolve } from 'node:path'
import * as v from 'valibot'
import { Config } from '../config/index.ts'
import type { AdapterFactory } from '../format/index.ts'
import { freshImports } from './fresh-imports.ts'

/** An adapter, and where it is from. */
export interface OwnAdapter {
	readonly factory: AdapterFactory
	/** Absolute path of its module, and the name under which that exports it. */
	readonly file: string
	readonly exportName: string
}

/** The adapters that could be loaded, and why others could not. */
export interface OwnAdapters {
	readonly own: readonly OwnAdapter[]
	readonly mistakes: readonly string[]
	/** Paths of the modules, and of what they import by a relative path. */
	readonly files: readonly string[]
}

const WithAdapters = v.looseObject({ adapters: v.optional(Config.entries.adapters) })

/**
 * Imports what `adapters` of a configuration lists, relative to its file, as those modules are now. `taken` are the names
 * of adapters that exist already.
 */
export async function loadOwnAdapters(
	json: unknown,
	configFile: string,
	taken: readonly string[],
): Promise<OwnAdapters> {
	const { success, output } = v.safeParse(WithAdapters, json)
	// Whatever is wrong with the list itself is named with the rest of the configuration.
	if (!success || !output.adapters) return { own: [], mistakes: [], files: [] }
	const fresh = freshImports()
	const own: OwnAdapter[] = []
	const mistakes: string[] = []
	for (const [i, path] of output.adapters.entries()) {
		const at = `adapters[${i}]`
		const file = resolve(dirname(configFile), path)
		try {
			const found = adaptersIn(await fresh.load(file), file)
			if (found.length === 0) mistakes.push(`${at}: ${path} exports no adapter; make one with defineAdapter`)
			for (const adapter of found) {
				const { name } = adapter.factory
				if ([...taken, ...own.map(({ factory }) => factory.name)].includes(name)) {
					mistakes.push(`${at}: there is an adapter named "${name}" already; give this one another name`)
				} else own.push(adapter)
			}
		} catch (thrown) {
			mistakes.push(`${at}: ${path} cannot be loaded: ${describeCause(thrown, file)}`)
		}
	}
	return { own, mistakes, files: [...fresh.files] }
}

/** What `defineAdapter` returns, as far as it can be seen. */
const Factory = v.looseObject({
	name: v.string(),
	options: v.looseObject({ kind: v.literal('schema') }),
	examples: v.array(v.unknown()),
	create: v.function(),
})

function adaptersIn(module: object, file: string): OwnAdapter[] {
	return Object.entries(module).flatMap(([exportName, factory]) =>
		isFactory(factory) ? [{ factory, file, exportName }] : [],
	)
}

function isFactory(value: unknown): value is AdapterFactory {
	return v.is(Factory, value)
}

function describeCause(thrown: unknown, file: string): string {
	if (!(thrown instanceof Error)) return 'it threw something that is no error'
	const { code } = thrown as NodeJS.ErrnoException
	if (code === 'ERR_MODULE_NOT_FOUND' && thrown.message.includes(`'${file}'`)) return 'there is no such file'
	if (thrown instanceof SyntaxError && thrown.message.startsWith('Cannot use import statement outside a module')) {
		return 'it is read as CommonJS; set "type": "module" in its package.json'
	}
	return thrown.message.split('\n')[0] ?? ''
}
