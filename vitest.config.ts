import { defineConfig } from 'vitest/config'

export default defineConfig({
	test: {
		coverage: { provider: 'v8', include: ['src/**', 'adapters/**'] },
		projects: [
			{
				test: {
					name: 'node',
					include: ['test/**/*.test.ts', 'src/**/*.test.ts', 'adapters/**/*.test.ts'],
					// The laws run thousands of random values, on machines that do other things as well.
					testTimeout: 30_000,
					hookTimeout: 30_000,
				},
			},
		],
	},
})
