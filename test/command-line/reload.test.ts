/** The configuration and its adapters are read again while the program runs, when their files change. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { call, start } from '../servers.ts'
import { folderWith } from './run.ts'

const format = new URL('../../adapters/canonical/index.ts', import.meta.url).href
/** An adapter of two files: the other one says what each answer looks like. */
const files = {
	'gateway.json': {
		upstream: { url: 'builtin:demo' },
		adapters: ['./own/index.ts'],
		routes: [{ name: 'own', path: '/own', platform: 'own' }],
	},
	'own/index.ts': `import { canonical } from '${format}'
import { failure } from './failure.ts'
export const own = { ...canonical, name: 'own', create: () => ({ ...canonical.create(), failure }) }`,
	'own/failure.ts': failureOf('first'),
}

function failureOf(body: string): string {
	return `export const failure = () => ({ status: 500, headers: [], body: '${body}' })`
}

/** How the adapter answers what it cannot read. */
async function failed(url: string): Promise<string> {
	const headers = { 'content-type': 'application/json' }
	return await (await call(`${url}/own`, undefined, { headers, body: '{' })).text()
}

test('an adapter changes without a restart, with all files of its own, and a mistake in it changes nothing', async () => {
	const { path, remove } = folderWith(files)
	onTestFinished(remove)
	const { url, lines, written } = await start(undefined, {
		args: ['start', '--watch', '--config', join(path, 'gateway.json')],
	})
	expect(await failed(url)).toBe('first')
	writeFileSync(join(path, 'own/failure.ts'), failureOf('second'))
	await expect.poll(() => failed(url)).toBe('second')
	expect(written()).toMatch(/Changed: .*own\/failure\.ts/)

	writeFileSync(join(path, 'own/failure.ts'), 'export const = 1')
	await expect.poll(written).toContain('The gateway goes on with the configuration that it had.')
	// Lines of the log are written some milliseconds later.
	await expect
		.poll(() => lines.at(-1))
		.toMatchObject({
			level: 'error',
			msg: 'reload',
			mistakes: expect.arrayContaining([expect.stringContaining('adapters[0]: ./own/index.ts cannot be loaded')]),
		})
	expect(await failed(url)).toBe('second')
	writeFileSync(join(path, 'own/failure.ts'), failureOf('third'))
	await expect.poll(() => failed(url)).toBe('third')
})
