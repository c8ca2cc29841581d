/** One step that brings the tables forward. */
export interface Migration {
	/** What it is for, in a word. */
	readonly name: string
	/** Runs in one transaction with the steps before it. */
	readonly sql: string
	/** The oldest version whose programs work with the tables as they are then. */
	readonly compatible: number
}
