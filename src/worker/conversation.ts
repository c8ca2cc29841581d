/** The Durable Object of one conversation: its short-lived memory, and its accepted events on their way. */
import { DurableObject } from 'cloudflare:workers'
import type { OpenChoices } from '../choices.ts'
import type { WireResponse } from '../codec.ts'
import type { Offer } from '../fit/index.ts'
import type { Bindings } from './bindings.ts'
import { Deliveries } from './deliveries.ts'
import { attempt } from './delivering.ts'
import { lifetime, Memory, type Pending, type StoredClaim } from './memory.ts'

/** Events that one alarm delivers, so that it ends well before the 15 minutes it is given. */
const maxPerAlarm = 50
/** Milliseconds after which an alarm that never ended is made up for. */
const alarmLimit = 15 * 60 * 1000

/** What a call to it returns was written to disk before: the platform holds answers back until then. */
export class Conversation extends DurableObject<Bindings> {
	readonly #memory: Memory
	readonly #deliveries: Deliveries
	/** An object that only ever was asked what it knows has no storage to pay for. */
	#stored: boolean
	#alarmAt: number | null | undefined

	constructor(state: DurableObjectState, bindings: Bindings) {
		super(state, bindings)
		const { sql } = state.storage
		this.#memory = new Memory(sql)
		this.#deliveries = new Deliveries(sql)
		this.#stored = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'deliveries'").toArray().length > 0
	}

	/** As State has it. */
	openChoices(): OpenChoices {
		return this.#stored ? this.#memory.openChoices() : []
	}

	/** As State has it. */
	async addReply(offers: readonly Offer[]): Promise<void> {
		if (offers.length === 0 && !this.#stored) return
		await this.#prepare()
		this.#memory.addReply(offers)
	}

	/** As State has it, but without waiting. */
	async claim(call: string, lease: number): Promise<StoredClaim | Pending> {
		await this.#prepare()
		return this.#memory.claim(call, lease)
	}

	/** As State has it, for whoever was told that somebody else is answering. */
	async claimNext(call: string, lease: number): Promise<StoredClaim> {
		await this.#prepare()
		return await this.#memory.claimNext(call, lease)
	}

	/** As State has it. */
	settle(call: string, fence: number, answer: WireResponse | undefined): void {
		if (this.#stored) this.#memory.settle(call, fence, answer)
	}

	/** Accepts an event, as JSON, to be delivered behind those before it. */
	async enqueue(delivery: string): Promise<'stored' | 'full'> {
		await this.#prepare()
		if (!this.#deliveries.add(delivery)) return 'full'
		await this.#remind(this.#deliveries.head()?.due ?? Date.now())
		return 'stored'
	}

	/** Delivers what is due, forgets what is old, and calls itself again for the rest. */
	override async alarm(): Promise<void> {
		if (!this.#stored) return
		if (this.#deliveries.head()) {
			// Should this instance die on the way, and its repetitions, too, the next alarm is set already.
			await this.#setAlarm(Date.now() + alarmLimit)
			await this.#deliver()
		}
		const times = [this.#memory.expire(), this.#deliveries.head()?.due].filter((time) => time !== undefined)
		if (times.length > 0) await this.#setAlarm(Math.min(...times))
		else if (this.#deliveries.isEmpty()) await this.#clear()
		else await this.ctx.storage.deleteAlarm()
	}

	async #deliver(): Promise<void> {
		for (let done = 0; done < maxPerAlarm; done++) {
			const head = this.#deliveries.head()
			if (!head || head.due > Date.now()) return
			const outcome = await attempt(JSON.parse(head.delivery), head.failed + 1, this.env)
			if (outcome.did === 'deliver') this.#deliveries.delivered(head)
			else if (outcome.did === 'give-up') this.#deliveries.giveUp(head)
			else this.#deliveries.retry(head, Date.now() + outcome.after)
		}
	}

	async #prepare(): Promise<void> {
		if (!this.#stored) {
			this.#memory.prepare()
			this.#deliveries.prepare()
			this.#stored = true
		}
		await this.#remind(Date.now() + lifetime)
	}

	async #clear(): Promise<void> {
		this.#stored = false
		this.#alarmAt = null
		await this.ctx.storage.deleteAll()
	}

	/** An alarm at that time at the latest. */
	async #remind(at: number): Promise<void> {
		this.#alarmAt ??= await this.ctx.storage.getAlarm()
		if (this.#alarmAt === null || this.#alarmAt > at) await this.#setAlarm(at)
	}

	async #setAlarm(at: number): Promise<void> {
		this.#alarmAt = at
		await this.ctx.storage.setAlarm(at)
	}
}
