import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createRuntime } from '../src/node/node-runtime.ts'
import { PlaygroundError, servePlayground } from '../src/node/playground-server.ts'
import { createLive, createPushes } from '../src/playground/index.ts'

const gateway = { url: 'http://127.0.0.1:1', routes: [], runtime: createRuntime(() => {}) }

async function files(): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'dragoman-playground-'))
	onTestFinished(() => rm(folder, { recursive: true, force: true }))
	await writeFile(join(folder, 'preview.js'), '1')
	return folder
}

test('other machines are let in with a password only', async () => {
	const starting = servePlayground({
		host: '0.0.0.0',
		port: 0,
		password: undefined,
		gateway,
		live: createLive(() => 0),
		pushes: createPushes(new Map()),
		files: await files(),
	})
	await expect(starting).rejects.toThrow(PlaygroundError)
	await expect(starting).rejects.toThrow('Set PLAYGROUND_PASSWORD')
})

test('without its files it says how to build them', async () => {
	const starting = servePlayground({
		host: '127.0.0.1',
		port: 0,
		password: undefined,
		gateway,
		live: createLive(() => 0),
		pushes: createPushes(new Map()),
		files: '/nowhere',
	})
	await expect(starting).rejects.toThrow('Run npm run build:playground.')
})

test('it serves its files, with their types, and the contract', async () => {
	const server = await servePlayground({
		host: '127.0.0.1',
		port: 0,
		password: undefined,
		gateway,
		live: createLive(() => 0),
		pushes: createPushes(new Map()),
		files: await files(),
	})
	onTestFinished(() => server.close())
	const answer = await fetch(`${server.url}/assets/preview.js`, { headers: { connection: 'close' } })
	expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
	expect(await answer.text()).toBe('1')
	for (const name of await readdir('schema')) {
		const document = await fetch(`${server.url}/schema/${name}`, { headers: { connection: 'close' } })
		expect(await document.json()).toEqual(JSON.parse(await readFile(join('schema', name), 'utf8')))
	}
})
