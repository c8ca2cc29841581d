import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { quiet } from './scripts/worker-bundle.ts'

Object.assign(process.env, quiet)
// Node keeps what it compiled: half of what each of some hundred processes and threads costs is compiling.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url))

// The laws run thousands of random values, on machines that do other things as well.
const timeouts = { testTimeout: 30_000, hookTimeout: 30_000, expect: { poll: { timeout: 15_000, interval: 20 } } }
const onNode = { setupFiles: ['test/seed.ts'], ...timeouts }

/**
 * Vitest starts with the largest files. What takes long in small files comes first, or it would run by itself at the end: the
 * laws of the adapters, and what starts workerd.
 */
class LongestFirst extends BaseSequencer {
	override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
		const { long = [], short = [] } = Object.groupBy(await super.sort(files), ({ moduleId }) =>
			/\/(adapters|test\/(runtime|workers))\//.test(moduleId) ? 'long' : 'short',
		)
		return [...long, ...short]
	}
}

export default defineConfig({
	test: {
		// At least four: many tests wait, for processes and for time to pass, and two cores would be idle for half of it.
		maxWorkers: Math.max(4, availableParallelism()),
		sequence: { sequencer: LongestFirst },
		coverage: { provider: 'v8', include: ['src/**', 'adapters/**'] },
		projects: [
			{
				test: {
					...onNode,
					name: 'core',
					include: ['adapters/**/*.test.ts', 'test/*.test.ts'],
					// To load what they import takes as long as to run them, so it is loaded once for many files. A test that replaces
					// a module, or changes what others import, belongs in a folder.
					isolate: false,
				},
			},
			{ test: { ...onNode, name: 'node', include: ['test/*/**/*.test.ts'], exclude: ['test/workers/**'] } },
			{
				// Inside workerd, with Node's modules switched on by the plugin: what runs without them is in test/runtime.
				plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' }, miniflare: { cf: false } })],
				resolve: {
					alias: {
						'#gateway-config': fileURLToPath(new URL('test/workers/gateway.json', import.meta.url)),
						'#adapters': fileURLToPath(new URL('adapters/index.ts', import.meta.url)),
						'#compact-jwe': fileURLToPath(new URL('src/compact-jwe.ts', import.meta.url)),
					},
				},
				test: { name: 'workers', include: ['test/workers/**/*.test.ts'], ...timeouts },
			},
		],
	},
})
