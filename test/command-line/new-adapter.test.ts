/** What `dragoman new-adapter` writes: it passes the laws as it is. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { adapterFiles } from '../../src/node/adapter-template.ts'
import { testAdapter } from '../adapter.ts'
import { dragoman } from '../harness/command.ts'
import { folderWith } from './run.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'dragoman-adapter-'))
afterAll(() => rmSync(folder, { recursive: true }))
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
const places = { format: join(root, 'src/format/index.ts'), testing: join(root, 'test/adapter.ts') }
for (const [file, text] of Object.entries(adapterFiles('my-platform', places))) {
	const path = join(folder, file)
	mkdirSync(dirname(path), { recursive: true })
	writeFileSync(path, text)
}
const { myPlatform } = await import(join(folder, 'index.ts'))
const { limits } = await import(join(folder, 'limits.ts'))

testAdapter(myPlatform, { fixtures: pathToFileURL(join(folder, 'fixtures/')), limits })

test('it writes a folder that imports the package, and no folder twice', async () => {
	const { path, remove } = folderWith({})
	onTestFinished(remove)
	const { code, out } = await dragoman(['new-adapter', 'my-platform'], { cwd: path })
	expect([code, out]).toEqual([0, expect.stringContaining('Wrote my-platform/fixtures/event.text.json\n')])
	expect(readFileSync(join(path, 'my-platform/event.ts'), 'utf8')).toContain("} from 'dragoman/format'\n")
	const again = await dragoman(['new-adapter', 'my-platform'], { cwd: path })
	expect(again).toMatchObject({ code: 1, err: expect.stringContaining('my-platform exists already.') })
})
