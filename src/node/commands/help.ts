/** Renders the help of the program and of its commands. */
import { styleText } from 'node:util'
import { writtenCommand, writtenLine } from '../written-command.ts'
import type { CommandEntry, Description } from './command.ts'

/** Characters of a line. */
const width = 110

/** The help of one command. */
export function helpOf({ name, usage, about, options, examples, exitCodes }: Description): string {
	const rows = Object.entries(options).map(([option, { short, value, about, multiple }]): readonly [string, string] => {
		const names = `${short === undefined ? '' : `-${short}, `}--${option}`
		return [`${names}${value === undefined ? '' : ` ${value}`}`, `${about}${multiple ? '; repeat it for several' : ''}`]
	})
	const common = [
		['--config FILE', 'the configuration (default: DRAGOMAN_CONFIG, or config/gateway.json)'],
		['-h, --help', 'print this text'],
	] as const
	return [
		usage.map((line, i) => `${i === 0 ? heading('Usage:') : '      '} dragoman ${name} ${line}`.trimEnd()).join('\n'),
		...about.map((paragraph) => wrap(paragraph, '').join('\n')),
		table([...rows, ...common]),
		`${heading('Examples:')}\n\n${examples.map(([command, does]) => `  # ${does}\n  ${writtenLine(command)}`).join('\n\n')}`,
		`${heading('Exit codes:')} ${exitCodes}.`,
	].join('\n\n')
}

/** The help of the program. */
export function programHelp(commands: readonly CommandEntry[]): string {
	return [
		`${heading('Usage:')} dragoman [COMMAND] [OPTIONS]`,
		'A gateway between one backend and every chatbot platform. Without a command it starts.',
		table(commands.map(({ name, summary }) => [name, summary] as const)),
		table([
			['--config FILE', 'the configuration (default: DRAGOMAN_CONFIG, or config/gateway.json)'],
			['-h, --help', 'print this text; behind a command, the help of that command'],
			['-v, --version', 'print the version'],
		]),
		`${heading('Examples:')}\n\n  ${['init', 'check', 'start --watch'].map(writtenCommand).join('\n  ')}`,
		wrap(
			'The environment variables HOST (127.0.0.1) and PORT (8787) set the address. A file .env beside the configuration is read; variables that are set already win.',
			'',
		).join('\n'),
	].join('\n\n')
}

function heading(text: string): string {
	return styleText('bold', text)
}

function table(rows: readonly (readonly [left: string, right: string])[]): string {
	const column = Math.min(28, Math.max(...rows.map(([left]) => left.length)) + 4)
	return rows
		.flatMap(([left, right]) => {
			const indent = ' '.repeat(column)
			const [first = '', ...rest] = wrap(right, indent)
			const name = `  ${left}`
			if (name.length >= column) return [name, first, ...rest]
			return [`${name.padEnd(column)}${first.trimStart()}`, ...rest]
		})
		.join('\n')
}

function wrap(text: string, indent: string): string[] {
	const lines: string[] = []
	let line = indent
	for (const word of text.split(' ')) {
		if (line.length + word.length > width && line.trim() !== '') {
			lines.push(line.trimEnd())
			line = indent
		}
		line += `${word} `
	}
	return [...lines, line.trimEnd()]
}
