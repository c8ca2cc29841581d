/** How a command of the program is written by whoever started it. Imports nothing, because every start reads it. */

// TypeScript runs in a clone only: the package has what it was compiled to. Within npx, npm tells its programs so. Without
// -s, npm writes a line of its own in front of what a program writes.
const program = import.meta.url.endsWith('.ts')
	? 'npm run -s dragoman --'
	: process.env.npm_command === 'exec'
		? 'npx dragoman'
		: 'dragoman'

/** The command with its program in front: `dragoman check`, or as whoever uses `npx` or a clone of the repository writes it. */
export function writtenCommand(command: string): string {
	return `${program} ${command}`
}

/** A shell command that calls `dragoman`, in a pipe for example, with the program as it was started. */
export function writtenLine(line: string): string {
	return line.replace(/(?<=^| )dragoman(?= |$)/, program)
}
