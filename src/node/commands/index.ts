/** The list of commands. Each is a file that is loaded only when it runs: a new command is its file and one line here. */
import type { CommandEntry } from './command.ts'

/** Every command, in the order of the help. */
export const commands: readonly CommandEntry[] = [
	{ name: 'init', summary: 'write a first configuration', load: () => import('./init.ts') },
	{ name: 'start', summary: 'start the gateway (the default)', load: () => import('./start.ts') },
	{
		name: 'dev',
		summary: 'start the gateway with a playground in the browser',
		load: () => import('./dev.ts'),
	},
	{
		name: 'check',
		summary: 'find what would keep the gateway from starting, or from its backends',
		load: () => import('./check.ts'),
	},
	{
		name: 'simulate',
		summary: 'play a platform: talk to a webhook, press buttons',
		load: () => import('./simulate.ts'),
	},
	{
		name: 'preview',
		summary: 'show one reply on every platform, and what is lost',
		load: () => import('./preview.ts'),
	},
	{ name: 'replay', summary: 'replay recorded turns as a test', load: () => import('./replay.ts') },
	{
		name: 'new-adapter',
		summary: 'write an adapter of your own to start from',
		load: () => import('./new-adapter.ts'),
	},
	{ name: 'schema', summary: 'print a JSON Schema', load: () => import('./schema.ts') },
	{ name: 'outbox', summary: 'list, redrive or delete stored events', load: () => import('./outbox.ts') },
	{ name: 'connections', summary: 'manage the webhooks of a ChatBot account', load: () => import('./connections.ts') },
]
