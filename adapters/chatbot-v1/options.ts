/** The options of ChatBot v1. */
import * as v from 'valibot'
import { userAttributes } from '../chatbot/webhook.ts'

export const Options = v.strictObject({ userAttributes })
export type Options = v.InferOutput<typeof Options>
