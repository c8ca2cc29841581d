/** Merge tags: placeholders in texts that a platform replaces with the values of attributes. */
import type { CanonicalEvent } from '../model/index.ts'

/** One spelling of a merge tag. */
export interface MergeTag {
	/** What stands before the name of the attribute. */
	readonly open: string
	/** What stands behind it. */
	readonly close: string
	/** Whose attribute it is. Absent: the session's, or else the user's. */
	readonly scope?: 'session' | 'user'
}

/** The merge tags of a format. */
export interface MergeTags {
	/** The spellings; the first that matches at a place counts. */
	readonly spellings: readonly [MergeTag, ...MergeTag[]]
	/** The field of the event that a name stands for. Absent: every name is that of an attribute. */
	fieldOf?(name: string, event: CanonicalEvent): string | undefined
}
