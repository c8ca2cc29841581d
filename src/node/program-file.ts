/** Where the programs are that run in threads of their own. */

/** The URL of a program of this folder, by its path without an extension. The package has it at the same place in dist/. */
export function programFile(path: string): URL {
	// TypeScript runs in a clone only. In the package, this code is in a file that several programs share.
	const file = import.meta.url.endsWith('.ts') ? `src/node/${path}.ts` : `dist/src/node/${path}.js`
	return new URL(file, import.meta.resolve('dragoman/package.json'))
}
