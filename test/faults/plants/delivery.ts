/** Faults of accepting, storing and delivering events. */
import type { Plant } from './plant.ts'

const outbox = 'src/node/outbox'

export const deliveryPlants: readonly Plant[] = [
	{
		id: 'acknowledged-before-commit',
		fault: 'An event is acknowledged before it is committed',
		edits: [{ file: `${outbox}/delivery-loop.ts`, find: 'await stored\n', replace: 'stored.catch(() => {})\n' }],
		caughtBy: { file: 'test/outbox/outbox.test.ts', test: 'acknowledges after the transaction' },
	},
	{
		id: 'synchronous-normal',
		fault: 'The database stays at `synchronous = NORMAL`, behind the check',
		edits: [
			{
				file: `${outbox}/checkpoint.ts`,
				find: "db.exec('PRAGMA synchronous = FULL')",
				replace: "db.exec('PRAGMA synchronous = NORMAL')",
			},
		],
		caughtBy: { row: 'B3' },
	},
	{
		id: 'every-500th-dropped',
		fault: 'Every 500th accepted event is dropped',
		edits: dropped(500),
		caughtBy: { file: 'test/outbox/store-file.test.ts', test: 'ten thousand events' },
	},
	{
		id: 'every-5000th-dropped',
		fault: 'Every 5,000th accepted event is dropped',
		edits: dropped(5000),
		caughtBy: { file: 'test/outbox/store-file.test.ts', test: 'ten thousand events' },
	},
	{
		id: 'order-forgotten',
		fault: 'The order of a conversation is forgotten at a restart',
		edits: [
			{
				file: `${outbox}/recovery.ts`,
				find: "\n	db.exec('COMMIT')\n",
				replace: "\n	db.exec(`UPDATE events SET head = 1 WHERE state = 'waiting'`)\n	db.exec('COMMIT')\n",
			},
		],
		caughtBy: { file: 'test/outbox/store-file.test.ts', test: 'a key can be rotated' },
	},
	{
		id: 'pushes-at-the-end',
		fault: 'The pushes of an event stand behind what its conversation has waiting',
		edits: [
			{
				file: `${outbox}/stored-outcomes.ts`,
				find: 'seq - pushes.length + i',
				replace: 'seq + 1_000_000 + i',
			},
		],
		caughtBy: { file: 'test/outbox/store-file.test.ts', test: 'take its place' },
	},
	{
		id: 'promised-before-stored',
		fault: 'The holding reply leaves before the event of the late answer is stored',
		edits: [
			{
				file: 'src/turn/one-way.ts',
				find: 'await inTime(turn, runtime, runtime.outbox?.accept([deliveryOf(turn, received, event, true)], calling))',
				replace: 'runtime.outbox?.accept([deliveryOf(turn, received, event, true)], calling).catch(() => {})',
			},
		],
		caughtBy: { file: 'test/push.test.ts', test: 'is not promised' },
	},
	{
		id: 'interrupted-sent-again',
		fault: 'An interrupted event is sent again to an upstream that is not idempotent',
		edits: [
			{
				file: 'src/delivery/attempt.ts',
				find: 'return !answer?.held || idempotent',
				replace: 'return !answer?.held || !!{ idempotent }',
			},
		],
		caughtBy: { file: 'test/push.test.ts', test: 'elsewhere it is a dead letter' },
	},
	{
		id: 'refused-told-as-stored',
		fault: 'One in twenty refusals for a full disk is told as 200',
		edits: [
			{
				file: `${outbox}/delivery-loop.ts`,
				find: 'settle(entries[i])',
				replace: 'settle(entries[i] && ++refusals % 20 === 0 ? undefined : entries[i])',
			},
			{
				file: `${outbox}/delivery-loop.ts`,
				find: '/** Milliseconds before a store that failed',
				replace: 'let refusals = 0\n/** Milliseconds before a store that failed',
			},
		],
		caughtBy: { row: 'B5' },
	},
	{
		id: 'files-for-all',
		fault: 'The files of the outbox are readable by all',
		edits: [
			{ file: `${outbox}/database-format.ts`, find: "'wx', 0o600", replace: "'wx', 0o644" },
			{ file: `${outbox}/database.ts`, find: 'chmodSync(file, 0o600)', replace: 'chmodSync(file, 0o644)' },
		],
		caughtBy: { file: 'test/outbox/store.test.ts', test: 'read by their owner only' },
	},
	{
		id: 'dead-after-three-kills',
		fault: 'Three kills of the process make an event a dead letter',
		edits: [{ file: `${outbox}/recovery.ts`, find: 'maxInterruptions = 100', replace: 'maxInterruptions = 3' }],
		caughtBy: { file: 'test/outbox/store-file.test.ts', test: 'taken over by the next process' },
	},
	{
		id: 'waiting-deleted',
		fault: 'Waiting events are deleted after a day',
		edits: [
			{
				file: `${outbox}/retention.ts`,
				find: '			let left = batch\n',
				replace:
					"			db.prepare(`DELETE FROM events WHERE state = 'waiting' AND accepted_at <= ?`).run(now - 86_400_000)\n			let left = batch\n",
			},
			{
				file: `${outbox}/retention.ts`,
				find: 'isDue: (now) =>\n',
				replace: 'isDue: (now) =>\n			now > 0 ||\n',
			},
		],
		caughtBy: { file: 'test/outbox/store-file.test.ts', test: 'waiting events never are' },
	},
	{
		id: 'erase-leaves-log',
		fault: '`erase` leaves the conversation in the log',
		edits: [{ file: `${outbox}/admin.ts`, find: 'let traceless = emptyLog()', replace: 'let traceless = true' }],
		caughtBy: { file: 'test/outbox/gateway.test.ts', test: 'leaves no trace' },
	},
	{
		id: 'retry-after-cut',
		fault: 'A long `Retry-After` is cut to a minute',
		edits: [{ file: 'src/upstream/retry-after.ts', find: '24 * 60 * 60 * 1000', replace: '60 * 1000' }],
		caughtBy: { file: 'test/outbox/outbox.test.ts' },
	},
	{
		id: 'large-in-clear',
		fault: 'Events over 8 kB are stored unencrypted',
		edits: [
			{
				file: `${outbox}/encryption.ts`,
				find: 'if (!first) return',
				replace: 'if (!first || text.length > 8192) return',
			},
		],
		caughtBy: { file: 'test/outbox/encryption.test.ts' },
	},
	{
		id: 'same-nonce',
		fault: 'Many events are encrypted with the same nonce',
		edits: [
			{
				file: `${outbox}/encryption.ts`,
				find: 'const nonce = randomBytes(nonceBytes)',
				replace: 'const nonce = Buffer.alloc(nonceBytes, name.slice(0, 5))',
			},
		],
		caughtBy: { file: 'test/outbox/encryption.test.ts' },
	},
	{
		id: 'lost-log-unnoticed',
		fault: 'The outbox is opened although its log is lost',
		edits: [
			{ file: `${outbox}/database.ts`, find: 'if (!acceptLostLog) checkLog(db, file)', replace: 'void acceptLostLog' },
		],
		caughtBy: { file: 'test/outbox/lost-log.test.ts', test: 'missing or empty is refused' },
	},
	{
		id: 'redriven-at-once',
		fault: '`redrive` and `drop` change all events in one transaction',
		edits: [
			{
				file: `${outbox}/portions.ts`,
				find: 'portion = { events: 250, milliseconds: 50 }',
				replace: 'portion = { events: 1e9, milliseconds: 1e9 }',
			},
			{
				file: `${outbox}/portions.ts`,
				find: 'if (!fits(Number(size.get(id)?.bytes ?? 0))) break',
				replace: 'void fits',
			},
		],
		caughtBy: { file: 'test/outbox/portions.test.ts' },
	},
]

function dropped(each: number): Plant['edits'] {
	return [
		{
			file: `${outbox}/store.ts`,
			find: '		const encrypted = rows.map(',
			replace: `		if (++inserted % ${each} === 0) return undefined\n		const encrypted = rows.map(`,
		},
		{
			file: `${outbox}/store.ts`,
			find: '/** Milliseconds. */\nconst sweepEvery',
			replace: 'let inserted = 0\nconst sweepEvery',
		},
	]
}
