/** Faults of several Nodes that share an outbox or a state. */
import type { Plant } from './plant.ts'

export const nodePlants: readonly Plant[] = [
	{
		id: 'claims-kept-by-the-dead',
		fault: 'The claims of a Node that died are not released',
		edits: [
			{
				file: 'src/node/postgres/migrations/outbox-functions.ts',
				find: 'IF gone IS NULL THEN RETURN 0; END IF;',
				replace: 'IF gone IS NULL OR true THEN RETURN 0; END IF;',
			},
		],
		caughtBy: { row: 'E1' },
	},
	{
		id: 'order-of-each-node',
		fault: 'An event does not wait for those of its conversation that another Node stored',
		edits: [
			{
				file: 'src/node/postgres/migrations/outbox-functions.ts',
				find: "WHERE e.state = 'waiting' AND e.lane = n.lane AND (blocks OR e.attempts = 0)",
				replace: "WHERE e.state = 'waiting' AND e.lane = n.lane AND e.owner = node AND (blocks OR e.attempts = 0)",
			},
		],
		caughtBy: { row: 'E11' },
	},
	{
		id: 'answer-of-another-node',
		fault: 'The answer that another Node remembered is not looked up',
		edits: [
			{
				file: 'src/node/state/valkey-script.ts',
				find: `			local held = redis.call('GET', key)
			if held then
`,
				replace: `			local held = redis.call('GET', key)
			if held and string.sub(held, 1, 1) == 'C' then
`,
			},
		],
		caughtBy: { row: 'E12' },
	},
	{
		id: 'claims-kept-by-the-answered',
		fault: 'The end of a call is not told again to a state that could not be told',
		edits: [
			{
				file: 'src/node/state/shared-state.ts',
				find: 'for (const end of untold.due(performance.now())) void tellAgain(end)',
				replace: 'untold.due(performance.now())',
			},
		],
		caughtBy: { row: 'E16' },
	},
	{
		id: 'state-logged-with-each-turn',
		fault: 'A state that refuses some calls and takes others is logged with each turn',
		edits: [
			{
				file: 'src/node/trouble-log.ts',
				find: '			told = false\n',
				replace: '			told = false\n			loggedAt.clear()\n',
			},
		],
		caughtBy: { file: 'test/state/valkey.test.ts', test: 'does not tell of each turn' },
	},
]
