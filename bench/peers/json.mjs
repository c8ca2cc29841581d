/** JSON alone: parses and writes the text in a file, as often as it is told to. Argument: the file. */
import { readFileSync } from 'node:fs'

const text = readFileSync(process.argv[2], 'utf8')

process.on('message', (times) => {
	for (let i = 0; i < times; i++) JSON.stringify(JSON.parse(text))
	process.send('done')
})
