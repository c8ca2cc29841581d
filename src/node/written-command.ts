/** How a command of the program is written by whoever started it. Imports nothing, because every start reads it. */

// TypeScript runs in a clone only: the package has what it was compiled to.
const program = import.meta.url.endsWith('.ts') ? 'npm run dragoman --' : 'dragoman'

/** The command with its program in front: `dragoman check`, or in a clone of the repository `npm run dragoman -- check`. */
export function writtenCommand(command: string): string {
	return `${program} ${command}`
}
