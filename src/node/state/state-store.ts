/** What a turn asks of a store that several Nodes share, with the names that a store sees: none says who the user is. */
import { hash } from 'node:crypto'

/** A claim on a call, as a store keeps it. */
interface Claim {
	/** The stored name of the call. */
	readonly call: string
	readonly fence: number
}

export interface BeginAsk {
	/** The call to claim, for `lease` milliseconds by the clock of the store. */
	readonly claim?: (Claim & { readonly lease: number }) | undefined
	readonly choices?: 'read' | 'close' | undefined
}

export type Begun =
	| { readonly answer: string }
	/** Another call holds the claim, for this many milliseconds at most. `wake` is called when it is settled before. */
	| { readonly pending: number }
	/** The claim is made. The stored replies, newest first. */
	| { readonly replies: readonly string[] }

/** A claim to end with its answer, or without one. Has no effect where the claim is not held any more. */
export interface ClaimEnd extends Claim {
	readonly answer: string | undefined
}

interface SettleAsk {
	readonly claim?: ClaimEnd | undefined
	/** The reply to add to those with open choices; see open-choices.ts. */
	readonly reply?: string | undefined
}

/**
 * A store that several Nodes share. Conversations are given by their stored names. All methods reject when the store
 * cannot be reached or refuses, and have no time limit.
 */
export interface StateStore {
	begin(conversation: string, ask: BeginAsk): Promise<Begun>
	/** False: choices were forgotten. */
	settle(conversation: string, ask: SettleAsk): Promise<boolean>
	/** False: it is not stored. */
	addLateReply(conversation: string, reply: string): Promise<boolean>
	/** Oldest first. */
	takeLateReplies(conversation: string): Promise<readonly string[]>
	/** Waits for the first try to connect, and returns what the server is, such as `valkey 8.1.1`. */
	identify(): Promise<string>
	/** Lets go of the connections. What is under way fails. */
	close(): Promise<void>
}

/** What a store tells by itself. */
export interface StoreEvents {
	/** A call that this Node waits for was settled. Undefined: any may have been, for messages may have been lost. */
	wake(claim: string | undefined): void
	/** It has tried to delete what is too old to be remembered. Undefined: it could. */
	forgot(failure: string | undefined): void
}

/** Characters of a name: 132 bits of its hash, so that no two are the same. */
const nameLength = 22

/** The name under which a store knows a conversation or a call. */
export function storedName(key: string): string {
	return hash('sha256', key, 'base64url').slice(0, nameLength)
}

/** The name of a claim, of which `wake` tells. */
export function claimName(conversation: string, call: string): string {
	return `${conversation}:${call}`
}
