/** What fit takes and gives. */
import type { Change, Choice } from '../model/index.ts'

/** What fit supplies where a format cannot leave something out, and what makes its random picks replayable. */
export interface FitContext {
	/** The turn's id. */
	readonly turnId: string
	/** RFC 3339: when the gateway received the event. */
	readonly receivedAt: string
	/**
	 * The format that a reply was decoded from: native parts of it are a loss on every other platform. Absent: a reply of
	 * the gateway's own format, whose author may add native parts for several platforms.
	 */
	readonly decodedFrom?: string | undefined
	/** Choices are remembered, so that a label or a number that comes back still means the choice it stood for. */
	readonly remembers?: boolean | undefined
	/** An event is known to have no half surrogate pairs: they need not be looked for. */
	readonly isWellFormed?: boolean | undefined
}

/** A choice as the user will see it, and what stands behind it. */
export interface Offer {
	/** The set it belongs to, of which one is picked: the path of the message or card in the upstream's reply. */
	readonly set: string
	/** The label, as it was sent; with a number also the choice's name among others of its title. */
	readonly label: string
	/** What the platform sends back when it is pressed; absent: the label. */
	readonly value?: string
	/** The number before the label, where the choices were sent as text. */
	readonly number?: number
	/** The choice as the upstream gave it. */
	readonly choice: Extract<Choice, { value: string }>
}

/** A value in normal form and what it took to bring it there. */
export interface Fitted<Model> {
	readonly value: Model
	readonly changes: readonly Change[]
	/** Choices that come back as a label or a number, or under another value than the upstream's. */
	readonly offers: readonly Offer[]
}
