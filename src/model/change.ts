/** One change that fit made to a value. */
import type { Feature } from './features.ts'

/** One change that fit made so that the format can express the value. `path` is the path before the change. */
export interface Change {
	readonly path: string
	readonly feature: Feature
	readonly did: 'dropped' | 'shortened' | 'split' | 'merged' | 'converted' | 'added' | 'escaped'
	readonly detail?: string
}
