/** The option that both versions of ChatBot have. */
import * as v from 'valibot'

/** What happens to a reply's user attributes, which the platform cannot store: drop them, or store them in the session. */
export const userAttributes = v.optional(v.picklist(['drop', 'session']), 'drop')
