/** The disk is full: by what the gateway stored, then by what others did; and no more. */
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { path } from '../../tools.ts'
import { until } from '../../until.ts'
import { folder, type Started } from '../gateway.ts'
import { faultsOf } from '../health.ts'
import { offer, startAccepting, startTaking, untried } from '../notices.ts'
import type { Row, Trial } from '../row.ts'

/** MiB of the disk; of these, the gateway leaves 16 free. */
const size = 24
/** Characters of an event. */
const length = 200_000

export const diskFull: Row = {
	id: 'B5',
	fault: 'The disk is full, of events or of what others wrote',
	demand:
		'events are refused with a typed 503, the process stays up, 0 acknowledged events lost; once the backend drains, or others make room, it accepts again by itself',
	waits: 'idly',
	async run(trial) {
		const disk = smallDisk(trial)
		if (disk === undefined) return untried('root', 'a small disk can be mounted by root only')
		let status = 503
		const upstream = await startTaking(trial, () => status)
		const outbox = { schedule: ['0s', ...Array.from({ length: 100 }, () => '1s')] }
		const gateway = await startAccepting(trial, { url: upstream.url, file: join(disk, 'outbox.db'), outbox })
		const events = new Events(gateway)
		const drained = async (): Promise<boolean> => {
			status = 200
			const done = await until(() => upstream.missing(events.accepted).length === 0)
			status = 503
			return done
		}
		const broken: string[] = []

		await events.offer(trial.at(80, 200, 1000))
		const filled = events.tell()
		if (filled.refused === 0) broken.push('its own events did not fill the disk')
		if (!(await drained())) broken.push('what was accepted before the disk was full is not delivered')
		if (!(await events.isAccepted())) broken.push('when it had drained, it accepted no more')

		await events.offer(20)
		fill(disk)
		const before = events.tell()
		await events.offer(20)
		const crowded = events.tell().refused - before.refused
		if (crowded < 20) broken.push(`${20 - crowded} events were accepted on a full disk`)
		rmSync(join(disk, 'of-others'))
		if (!(await events.isAccepted())) broken.push('when others had made room, it accepted no more')
		if (!(await drained())) broken.push('when others had made room, what was accepted before is not delivered')

		const lost = upstream.missing(events.accepted).length
		const { accepted, refused, others } = events.tell()
		if (lost > 0) broken.push(`${lost} accepted events were lost`)
		if (others.length > 0) broken.push(`${others.length} events were answered otherwise: ${others[0]}`)
		broken.push(...faultsOf(gateway))
		const copies = [...upstream.copies().values()].reduce((sum, each) => sum + each - 1, 0)
		return {
			reached: `${accepted} accepted, ${refused} refused, ${lost} lost, ${copies} delivered twice; accepts again after draining, and after others made room`,
			broken,
		}
	},
}

/** Events that are offered, and what became of them. */
class Events {
	readonly accepted: number[] = []
	readonly #gateway: Started
	readonly #others: string[] = []
	#refused = 0
	#offered = 0

	constructor(gateway: Started) {
		this.#gateway = gateway
	}

	async offer(count: number): Promise<void> {
		for (let i = 0; i < count; i++) {
			const n = this.#offered++
			const { status, body } = await offer(this.#gateway, n, 'x'.repeat(length))
			if (status === 200) this.accepted.push(n)
			else if (status === 503 && body.includes('"title":"outbox-full"')) this.#refused++
			else this.#others.push(`${status} ${body}`)
		}
	}

	/** Whether one is accepted within some seconds. */
	async isAccepted(): Promise<boolean> {
		const { length } = this.accepted
		for (let tries = 0; tries < 50 && this.accepted.length === length; tries++) {
			await this.offer(1)
			await wait(100)
		}
		return this.accepted.length > length
	}

	tell(): { accepted: number; refused: number; others: readonly string[] } {
		return { accepted: this.accepted.length, refused: this.#refused, others: this.#others }
	}
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
