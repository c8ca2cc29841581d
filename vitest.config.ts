import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'
import { quiet } from './scripts/worker-bundle.ts'

Object.assign(process.env, quiet)

// The laws run thousands of random values, on machines that do other things as well.
const timeouts = { testTimeout: 30_000, hookTimeout: 30_000, expect: { poll: { timeout: 15_000, interval: 20 } } }

export default defineConfig({
	test: {
		// One for each core: Vitest's default leaves one idle, which on two cores is half of them, and many tests wait.
		maxWorkers: Math.max(2, availableParallelism()),
		coverage: { provider: 'v8', include: ['src/**', 'adapters/**'] },
		projects: [
			{
				test: {
					name: 'node',
					setupFiles: ['test/seed.ts'],
					include: ['test/**/*.test.ts', 'src/**/*.test.ts', 'adapters/**/*.test.ts'],
					exclude: ['test/workers/**'],
					...timeouts,
				},
			},
			{
				// Inside workerd, with Node's modules switched on by the plugin: what runs without them is in test/runtime.
				plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' }, miniflare: { cf: false } })],
				resolve: {
					alias: {
						'#gateway-config': fileURLToPath(new URL('test/workers/gateway.json', import.meta.url)),
						'#adapters': fileURLToPath(new URL('adapters/index.ts', import.meta.url)),
					},
				},
				test: { name: 'workers', include: ['test/workers/**/*.test.ts'], ...timeouts },
			},
		],
	},
})
