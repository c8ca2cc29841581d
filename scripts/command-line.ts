/** The part of docs/command-line.md that repeats the program: the help of each command. */
import { stripVTControlCharacters } from 'node:util'
import { commands } from '../src/node/commands/index.ts'
import { writtenLine } from '../src/node/written-command.ts'
import { replaceBlock } from './generated-block.ts'

const helps = new Map<string, string>()
for (const { name, load } of commands) helps.set(name, await helpOf(load))

/** The page with the help of every command as it is now. */
export function commandLinePage(present: string): string {
	const sections = [...helps].map(([name, help]) => `### dragoman ${name}\n\n\`\`\`text\n${help}\n\`\`\``)
	return replaceBlock(present, 'commands', sections.join('\n\n'))
}

async function helpOf(load: (typeof commands)[number]['load']): Promise<string> {
	const { command } = await load()
	const said: string[] = []
	const { log } = console
	console.log = (line: string) => said.push(line)
	try {
		await command.run(['--help'], { env: {}, configFile: '' })
	} finally {
		console.log = log
	}
	// The page writes commands as those who have installed the package do.
	return stripVTControlCharacters(said.join('\n')).replaceAll(writtenLine('dragoman'), 'dragoman')
}
