/** The data path of one turn, from the platform’s call to its answer. */
export { withReply } from './choices.ts'
export { longestUpstreamWait } from './deadlines.ts'
export { redactCall } from './redact.ts'
export { takeTurn } from './take-turn.ts'
