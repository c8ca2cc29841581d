/** Brings a canonical value into a format’s normal form, and reports every change. */
export { fitEvent } from './fit-event.ts'
export { fitReply } from './fit-reply.ts'
export { labelKey } from './label-key.ts'
export type { FitContext, Fitted, Offer } from './types.ts'
