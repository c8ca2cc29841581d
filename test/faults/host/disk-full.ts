/** The disk is full: by what the gateway stored, then by what others did; and no more. */

import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { notifying } from '../../harness/platforms.ts'
import { folder } from '../../harness/scope.ts'
import { path } from '../../tools.ts'
import { atOnceThenEach, delivered, startAccepting, startTaking } from '../accepting.ts'
import { faultsOf } from '../health.ts'
import { type Row, type Trial, unless, untried } from '../row.ts'
import { each, type Turn, turnsWith, unexpected } from '../turns.ts'

/** MiB of the disk; of these, the gateway leaves 16 free. */
const size = 24
/** Characters of an event. */
const length = 200_000

export const diskFull: Row = {
	id: 'B5',
	fault: 'The disk is full, with events or with other data',
	demand:
		'events are rejected with a typed 503, the process stays up, 0 acknowledged events lost; it accepts again by itself once events are delivered or space is freed',
	waits: 'idly',
	async run(trial) {
		const disk = smallDisk(trial)
		if (disk === undefined) return untried('root', 'a small disk can be mounted by root only')
		let status = 503
		const upstream = await startTaking(trial, () => status)
		const outbox = { file: join(disk, 'outbox.db'), schedule: atOnceThenEach('1s') }
		const gateway = await startAccepting(trial, upstream.url, { outbox })
		const take = turnsWith(trial, gateway)
		const turns: Turn[] = []
		const offer = async (count: number): Promise<void> => {
			const text = () => `${trial.nonce()} ${'x'.repeat(length)}`
			turns.push(...(await each(count, 1, () => take(notifying, undefined, { text: text() }))))
		}
		const accepted = () => turns.filter(({ heard }) => heard === 'accepted').map(({ text }) => text)
		const refused = () => turns.filter(({ heard }) => heard === 'outbox-full').length
		/** Whether one is accepted within some seconds. */
		const isAccepted = async (): Promise<boolean> => {
			const before = accepted().length
			for (let tries = 0; tries < 50 && accepted().length === before; tries++) {
				await offer(1)
				await wait(100)
			}
			return accepted().length > before
		}
		const drained = async (): Promise<boolean> => {
			status = 200
			const { lost } = await delivered(accepted(), () => upstream.taken)
			status = 503
			return lost === 0
		}
		const broken: string[] = []
		const claim = (holds: boolean, sentence: string) => void broken.push(...unless(holds, sentence))

		await offer(trial.at(80, 200, 1000))
		claim(refused() > 0, 'its own events did not fill the disk')
		claim(await drained(), 'what was accepted before the disk was full is not delivered')
		claim(await isAccepted(), 'when it had drained, it accepted no more')

		await offer(20)
		fill(disk)
		const before = refused()
		await offer(20)
		claim(refused() === before + 20, `${20 - refused() + before} events were accepted on a full disk`)
		rmSync(join(disk, 'of-others'))
		claim(await isAccepted(), 'when others had made room, it accepted no more')
		claim(await drained(), 'when others had made room, what was accepted before is not delivered')

		const copies = upstream.taken.length - new Set(upstream.taken).size
		return {
			reached: `${accepted().length} accepted, ${refused()} rejected, ${copies} delivered twice; accepts again after delivering, and after space was freed`,
			broken: [...broken, ...unexpected(turns, ['accepted', 'outbox-full']), ...faultsOf(gateway)],
		}
	},
}

/** A disk of its own, where that may be had; it goes with the row. */
function smallDisk(trial: Trial): string | undefined {
	const disk = folder(trial)
	const mount = ['-t', 'tmpfs', '-o', `size=${size}m`, 'dragoman', disk]
	if (spawnSync('mount', mount, { env: { PATH: path } }).status !== 0) return undefined
	trial.after(() => spawnSync('umount', ['-l', disk], { env: { PATH: path } }))
	return disk
}

/** Takes all that is left of it. */
function fill(disk: string): void {
	const [file, chunk] = [join(disk, 'of-others'), Buffer.alloc(65_536, 'x')]
	for (const bytes of [chunk, chunk.subarray(0, 4096)]) {
		try {
			for (;;) writeFileSync(file, bytes, { flag: 'a' })
		} catch (thrown) {
			if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOSPC')) throw thrown
		}
	}
}
