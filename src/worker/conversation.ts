/** The Durable Object of one conversation: its short-lived state, and its accepted events until they are delivered. */
import { DurableObject } from 'cloudflare:workers'
import type { CanonicalReply } from '../model/index.ts'
import type { Beginning, Delivery, Settlement } from '../runtime.ts'
import { assembledGateway } from './assemble.ts'
import { attemptDelivery } from './attempt-delivery.ts'
import type { Bindings, ConversationObject } from './bindings.ts'
import { ConversationState, lifetime, type Pending, type StoredBegun } from './conversation-state.ts'
import { DeliveryTable } from './delivery-table.ts'

/** Milliseconds that the platform gives an alarm, and after which an alarm that never ended is replaced. */
const alarmLimit = 15 * 60 * 1000
/** Events that one alarm delivers at most, and milliseconds after which it starts no more deliveries. */
const maxPerAlarm = { events: 50, time: alarmLimit / 3 }

/** The platform holds back the answer to a call until everything that the call wrote is on disk. */
export class Conversation extends DurableObject<Bindings> implements ConversationObject {
	readonly #memory: ConversationState
	readonly #deliveries: DeliveryTable
	/** Whether there are tables. An object that has only been read from creates none, so it costs no storage. */
	#stored: boolean

	constructor(state: DurableObjectState, bindings: Bindings) {
		super(state, bindings)
		const { sql } = state.storage
		this.#memory = new ConversationState(sql)
		this.#deliveries = new DeliveryTable(sql)
		this.#stored = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'deliveries'").toArray().length > 0
	}

	async begin(beginning: Beginning, fence: number): Promise<StoredBegun | Pending> {
		if (beginning.claim) await this.#prepare()
		return this.#stored ? this.#memory.begin(beginning, fence) : { open: [] }
	}

	async beginNext(beginning: Beginning, fence: number): Promise<StoredBegun> {
		await this.#prepare()
		return await this.#memory.beginNext(beginning, fence)
	}

	async settle(settlement: Settlement): Promise<boolean> {
		if (settlement.reply && settlement.reply.offers.length > 0) await this.#prepare()
		return this.#stored ? this.#memory.settle(settlement) : true
	}

	async addLateReply(reply: CanonicalReply): Promise<boolean> {
		await this.#prepare()
		return this.#memory.addLateReply(reply)
	}

	takeLateReplies(): string[] {
		return this.#stored ? this.#memory.takeLateReplies() : []
	}

	async enqueue(deliveries: readonly string[], lease = 0): Promise<'stored' | 'full'> {
		await this.#prepare()
		if (!this.#deliveries.add(deliveries, lease)) return 'full'
		await this.#remind(this.#deliveries.head()?.due ?? Date.now())
		return 'stored'
	}

	async settleDelivery(id: string, outcome: string): Promise<void> {
		const found = this.#stored && this.#deliveries.findUntried(id)
		if (!found) return
		this.#deliveries.apply(found, JSON.parse(outcome))
		await this.#remind(this.#deliveries.head()?.due ?? Date.now())
	}

	/** Delivers due events, deletes old data, and sets the next alarm. */
	override async alarm(): Promise<void> {
		if (!this.#stored) return
		if (this.#deliveries.head()) {
			// Set before the deliveries, in case this instance and the platform's retries of the alarm die.
			await this.#setAlarm(Date.now() + alarmLimit)
			await this.#deliver()
		}
		const { due } = this.#deliveries.head() ?? {}
		// While the configuration cannot be used, no dead letter is too old.
		const { deadRetention = Number.POSITIVE_INFINITY } = assembledGateway(this.env) ?? {}
		const expiries = [this.#memory.expire(), this.#deliveries.expire(deadRetention)]
		const times = [...expiries, due].filter((time) => time !== undefined)
		if (times.length > 0) await this.#setAlarm(Math.min(...times))
		else await this.#clear()
	}

	async #deliver(): Promise<void> {
		const until = Date.now() + maxPerAlarm.time
		const object = this.ctx.id.toString()
		for (let done = 0; done < maxPerAlarm.events && Date.now() < until; done++) {
			const head = this.#deliveries.head()
			if (!head || head.due > Date.now()) return
			const delivery: Delivery = JSON.parse(head.delivery)
			// An event with the holding reply that was never tried was left by the Worker that waited for its answer, unless
			// somebody put it back.
			const interrupted = isHeld(delivery) && head.failed === 0 && head.due !== 0
			this.#deliveries.apply(head, await attemptDelivery({ ...head, delivery, interrupted }, this.env, object))
		}
	}

	async #prepare(): Promise<void> {
		// Set first, so that everything stored afterwards will be deleted in time.
		await this.#remind(Date.now() + lifetime)
		if (this.#stored) return
		this.#memory.prepare()
		this.#deliveries.prepare()
		this.#stored = true
	}

	async #clear(): Promise<void> {
		this.#stored = false
		await this.ctx.storage.deleteAll()
	}

	/** Makes sure that there is an alarm at this time or earlier. */
	async #remind(at: number): Promise<void> {
		const set = await this.ctx.storage.getAlarm()
		if (set === null || set > at) await this.#setAlarm(at)
	}

	async #setAlarm(at: number): Promise<void> {
		// The storage rejects 0, the due time of an event that was put back.
		await this.ctx.storage.setAlarm(Math.max(at, Date.now()))
	}
}

function isHeld(delivery: Delivery): boolean {
	return 'request' in delivery && delivery.answer?.held === true
}
