/** One change that fit made to a value. */
import type { Feature } from './features.ts'

/** One thing that fit did to a value so that the format can hold it. `path` is that of the value before. */
export interface Change {
	readonly path: string
	readonly feature: Feature
	readonly did: 'dropped' | 'shortened' | 'split' | 'merged' | 'converted' | 'added' | 'escaped'
	readonly detail?: string
}
