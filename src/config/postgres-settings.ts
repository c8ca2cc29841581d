/** A PostgreSQL database, and how it is opened. */
export interface PostgresSettings {
	/** Holds the password: not to be printed. */
	readonly url: string
	/** Whether the start brings the tables up to date. */
	readonly migrate: boolean
}
